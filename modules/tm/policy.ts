/** How a request is dealt with where routes may choose, by the parameters or for one request alone. Kamailio's names in brackets. */
export interface Policy {
  /** Whether t_relay sends 100 for an INVITE at once [auto_inv_100]. */
  readonly trying: boolean;
  /** Whether a 6xx ends the search (RFC 3261 16.7 step 5); otherwise it is a failure like others [disable_6xx_block]. */
  readonly endsBy6xx: boolean;
  /** Further targets that a branch may try when one fails; 0: none [use_dns_failover]. */
  readonly maxFailovers: number;
}
