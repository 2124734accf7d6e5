import { defineRoutes, type RouteContext } from 'kamaiki';

// A limit of calls at a time for each customer, counted by all proxies that share a memcached.
//
// A call takes one place of its customer's when it begins and gives it back when it ends. A place is a lease: one that is neither given back nor
// renewed ends by itself, so that lost BYEs, a proxy that crashed and a restarted memcached leave no count behind that is wrong for ever.
//
// kamailio.yaml needs the modules of `uses`, and memcached with the servers that all proxies share.

interface Customer {
  readonly name: string;
  /** Calls at a time. */
  readonly calls: number;
}

/** Customers by the address that they send from: the addresses here are examples. */
const CUSTOMERS: ReadonlyMap<string, Customer> = new Map([
  ['192.0.2.10', { name: 'acme', calls: 30 }],
  ['192.0.2.20', { name: 'globex', calls: 5 }],
  ['127.0.0.1', { name: 'here', calls: 2 }],
]);

/**
 * Lifetime of a place, s. Longer than what passes between two requests of a call: with session timers (RFC 4028) of 1800 s one of them comes at
 * least each half hour. Without session timers it is the longest call that you let count.
 */
const LEASE_S = 2000;

export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'memcached'],

  async request(context) {
    const { pv, ksr } = context;
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');

    if (ksr.siputils.is_method('CANCEL')) {
      if (ksr.tm.t_check_trans()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(481, 'Call/Transaction Does Not Exist');
    }

    if (ksr.siputils.has_totag()) {
      if (!ksr.rr.loose_route()) {
        return ksr.siputils.is_method('ACK') ? undefined : ksr.sl.sl_send_reply(404, 'Not Here');
      }
      // Not before it is answered: what means no call, and gets 481, must not keep the place of one that is over. An ACK has no answer.
      if (!ksr.siputils.is_method('ACK')) ksr.tm.t_on_reply('answered');
      if (ksr.siputils.is_method('BYE')) ksr.tm.t_on_failure('byeFailed');
      withinCall(context);
      // False: it could not be sent. A BYE ends the call for who sends it, whatever becomes of it (RFC 3261 15.1.1).
      if (!(await ksr.tm.t_relay()) && ksr.siputils.is_method('BYE')) await giveBack(context);
      return undefined;
    }

    ksr.rr.loose_route();
    if (ksr.siputils.is_myself_ruri()) return ksr.sl.sl_send_reply(404, 'Not Found');

    // Of whatever method: a request of anyone else would be sent to wherever it says.
    const customer = CUSTOMERS.get(pv.$si.get());
    if (customer === undefined) return ksr.sl.sl_send_reply(403, 'Forbidden');
    if (!ksr.siputils.is_method('INVITE')) return ksr.tm.t_relay();

    // The Call-ID counts once, however often it asks: a second fork of the call takes no second place.
    const place = await ksr.memcached.acquire(customer.name, {
      max: customer.calls,
      id: pv.$ci.get(),
      ttl: LEASE_S,
      // While no memcached answers, this proxy counts its own calls up to `max`. `open` would let all calls pass, `closed` none.
      onDown: 'local',
    });
    if (place.status !== 'acquired') return ksr.sl.send_reply(486, 'Too Many Calls');

    // Later requests of the call tell by their Route whose it is: see withinCall.
    ksr.rr.record_route();
    ksr.rr.add_rr_param(`;customer=${customer.name}`);
    pv.$avp('customer').set(customer.name);
    ksr.tm.t_on_failure('unanswered');
    // False: it could not be sent, and has been answered with an error.
    if (!(await ksr.tm.t_relay())) await ksr.memcached.release(customer.name, pv.$ci.get());
    return undefined;
  },

  failure: {
    // The call was refused, cancelled, or no one answered it. If this was one of several forks, the place stays with the others.
    async unanswered(context) {
      await giveBack(context);
    },

    // The other side knows no such call, does not answer, or cannot be reached (503): it is over as well (RFC 3261 15.1.1), or a gateway that
    // restarts would take its calls' places along until they end. A BYE with wrong tags frees the place of a call that goes on. That keeps no
    // one out: who knows the Call-ID can also send his BYE to himself, and answer it with 200.
    async byeFailed(context) {
      if (context.ksr.tm.t_check_status('408|481|503')) await giveBack(context);
    },
  },

  onreply: {
    // The other side has confirmed that the call is over, or goes on.
    async answered(context) {
      const { pv, ksr } = context;
      const status = pv.$rs.get() ?? 0;
      if (status < 200 || status >= 300) return;
      if (ksr.siputils.is_method('BYE')) await giveBack(context);
      else await renew(context);
    },
  },
});

type Context<Kind extends 'request' | 'failure' | 'onreply'> = RouteContext<
  'pv' | 'rr' | 'siputils' | 'memcached',
  Kind
>;

/** Of a request within a call it remembers whose the call is, until the answer comes. */
function withinCall({ pv, ksr }: Context<'request'>): void {
  for (const { name } of CUSTOMERS.values()) {
    if (ksr.rr.check_route_param(`;customer=${name}(;|$)`)) pv.$avp('customer').set(name);
  }
}

/** Has the call's place last longer. */
async function renew({ pv, ksr }: Context<'onreply'>): Promise<void> {
  const customer = pv.$avp('customer').get();
  if (typeof customer === 'string') await ksr.memcached.renew(customer, pv.$ci.get(), { ttl: LEASE_S });
}

/** Gives the call's place back, once: whoever comes second finds nothing to give back. */
async function giveBack({ pv, ksr }: Context<'request' | 'failure' | 'onreply'>): Promise<void> {
  const customer = pv.$avp('customer').get();
  if (typeof customer === 'string') await ksr.memcached.release(customer, pv.$ci.get());
}
