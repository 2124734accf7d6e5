import { defineModule, errors, forceRport } from '../../core/index.ts';
import { inUri } from './addresses.ts';
import { routeByAlias, withAlias } from './alias.ts';
import { contactUris, withAddress } from './contacts.ts';
import { ALL_FLAGS, isBehindNat } from './nat-tests.ts';

/** Signalling with user agents behind NATs. */
export const nathelper = defineModule({
  name: 'nathelper',
  doc: 'Finds out whether a user agent is behind a NAT, and makes its Contact lead back to it.',
  depends: [],
  params: {},
  init: () => null,
  pseudoVariables: {},
  functions: {
    force_rport: {
      on: 'request',
      routes: ['request'],
      doc: 'Has replies sent to the port that the request came from, as if its top Via asked for that with `rport`, and adds `rport=` and `received=` to the Via (RFC 3581 4).',
      signature: '(): void',
      call: ({ msg }): void => forceRport(msg),
    },
    nat_uac_test: {
      on: 'any',
      doc: 'Whether one of the tests whose flags are added up says that the sender is behind a NAT.',
      signature: '(flags: number): boolean',
      call: ({ msg }, flags: number): boolean => {
        if (!(Number.isInteger(flags) && flags >= 1 && flags <= ALL_FLAGS)) {
          throw errors.ERR_FLAGS('nat_uac_test', 1, ALL_FLAGS, String(flags));
        }
        return isBehindNat(msg, flags);
      },
    },
    fix_nated_contact: {
      on: 'any',
      doc: 'Puts the address and port that the message came from into its Contact URIs. False, with nothing changed, without a SIP URI in Contact or with a malformed one.',
      signature: '(): boolean',
      call: ({ msg }): boolean => {
        const { address, port } = msg.received;
        const contacts = contactUris(msg);
        for (const { uri, start, end } of contacts) {
          msg.edits.replace(start, end, withAddress(uri, `${inUri(address)}:${port}`));
        }
        return contacts.length > 0;
      },
    },
    set_contact_alias: {
      on: 'any',
      doc: 'Adds `;alias=ip~port~proto` with the source of the message to its Contact URIs, in place of an alias that one had. False, with nothing changed, without a SIP URI in Contact or with a malformed one.',
      signature: '(): boolean',
      call: ({ msg }): boolean => {
        const contacts = contactUris(msg);
        for (const { uri, start, end, isBracketed } of contacts) {
          const text = withAlias(uri, msg.received);
          // Without brackets it would be a parameter of the header (RFC 3261 20.10).
          msg.edits.replace(start, end, isBracketed ? text : `<${text}>`);
        }
        return contacts.length > 0;
      },
    },
    handle_ruri_alias: {
      on: 'request',
      doc: 'Takes `;alias=ip~port~proto` off the Request-URI and sets $du to the place it names. False, with nothing changed, when there is none, when it cannot be read, and when it leads a SIPS request over a protocol without TLS.',
      signature: '(): boolean',
      call: ({ msg }): boolean => routeByAlias(msg),
    },
  },
});

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    nathelper: typeof nathelper;
  }
}
