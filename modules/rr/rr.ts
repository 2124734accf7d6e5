import {
  type Avps,
  type CoreServices,
  defineModule,
  encodeText,
  errors,
  param,
  parseUri,
  printParams,
  type Scope,
  Slot,
  type Uri,
  uriParam,
} from '../../core/index.ts';
import { looseRoute, type LooseRouted } from './loose-route.ts';
import {
  ftagOf,
  presetRecordRouteLine,
  recordingOf,
  recordRouteLines,
  type RecordRouteStyle,
} from './record-route.ts';

/** What the functions of this module need and know. */
export interface RrState {
  readonly core: CoreServices;
  readonly style: RecordRouteStyle;
}

/** What `loose_route` came to. AVPs live as long as the transaction, so branch and failure handlers find it too. */
const routed = new Slot<Avps, LooseRouted>();

/** Keeps the proxy on the path of a dialog (RFC 3261 16.4, 16.6, 16.12). */
export const rr = defineModule({
  name: 'rr',
  doc: 'Record-Route and Route: keeps the proxy on the path of a dialog.',
  depends: [],
  params: {
    enable_full_lr: param.bool({
      default: false,
      doc: 'Write `;lr=on` rather than `;lr`, for user agents that lose parameters without value.',
    }),
    append_fromtag: param.bool({
      default: true,
      doc: 'Put the From tag into Record-Route as `;ftag=`; `is_direction` needs it.',
    }),
    enable_double_rr: param.bool({
      default: true,
      doc: 'Write two Record-Routes when a request leaves by another socket than it came in by.',
    }),
  },
  init: ({ core, params }): RrState => ({
    core,
    style: {
      fullLr: params.enable_full_lr,
      fromTag: params.append_fromtag,
      double: params.enable_double_rr,
    },
  }),
  pseudoVariables: {},
  functions: {
    record_route: {
      on: 'request',
      doc: 'Adds a Record-Route above all others, with the address of the socket that the request will leave by, and with `outbound` the token of a flow. False when the request has one from here already.',
      signature: '(): boolean',
      call: ({ msg, state, log }): boolean => {
        const recording = recordingOf(msg);
        if (recording.on) {
          log.warn('record_route: called twice for one request', { callId: msg.callId });
          return false;
        }
        recording.flowToken = state.core.flowTokens?.tokenOf(msg) ?? null;
        recording.begin((it, out) => recordRouteLines(it, out, state.style));
        return true;
      },
    },
    record_route_preset: {
      on: 'request',
      doc: 'The same with an address of your own, such as `203.0.113.5:5060`. False when the request has a Record-Route from here already.',
      signature: '(address: string): boolean',
      call: ({ msg, state }, address: string): boolean => {
        const bytes = encodeText(address);
        const parsed = parseUri(`sip:${bytes}`);
        if (!parsed.ok) {
          throw errors.ERR_URI_SYNTAX('record_route_preset', JSON.stringify(`sip:${address}`), parsed.reason);
        }
        const recording = recordingOf(msg);
        if (recording.on) return false;
        recording.begin((it) => presetRecordRouteLine(bytes, it, state.style));
        return true;
      },
    },
    remove_record_route: {
      on: 'request',
      doc: 'Takes back `record_route` or `record_route_preset`. False when there is nothing to take back.',
      signature: '(): boolean',
      call: ({ msg }): boolean => {
        const recording = recordingOf(msg);
        const was = recording.on;
        recording.on = false;
        return was;
      },
    },
    add_rr_param: {
      on: 'request',
      doc: 'Adds parameters such as `;name=value` to the Record-Route, whether `record_route` is called before or after.',
      signature: '(text: string): boolean',
      call: ({ msg }, text: string): boolean => {
        if (!URI_PARAMS.test(text)) {
          throw errors.ERR_URI_PARAM(
            'add_rr_param',
            JSON.stringify(text),
            '`;name=value`, other chars as %XX',
          );
        }
        recordingOf(msg).params += text;
        return true;
      },
    },
    loose_route: {
      on: 'request',
      doc: 'Routes by the Route headers: removes what names this proxy and sets the next hop or flow, also behind and before strict routers. False without a Route, with a malformed one, and for a first request with no Route but ours: route those yourself.',
      signature: '(): boolean',
      call: ({ msg, scope, state }): boolean => {
        let outcome = routed.get(scope.avps);
        if (outcome === undefined) {
          outcome = looseRoute(msg, state.core);
          routed.set(scope.avps, outcome);
        }
        return outcome.followed;
      },
    },
    check_route_param: {
      on: 'request',
      doc: 'Whether the parameters of our own Route, such as `;lr;ftag=1c2`, match a regular expression in any case. Call `loose_route` first.',
      signature: '(regex: string): boolean',
      call: ({ scope }, regex: string): boolean => {
        const pattern = compile(regex);
        const own = ownRoute(scope);
        return own !== null && pattern.test(printParams(own.params));
      },
    },
    is_direction: {
      on: 'request',
      doc: 'Whether a request within a dialog goes the way of the first one (downstream) or against it (upstream), by the `ftag` of our own Route; downstream when that is unknown. Call `loose_route` first.',
      signature: "(direction: 'upstream' | 'downstream'): boolean",
      call: ({ msg, scope }, direction: 'upstream' | 'downstream'): boolean => {
        const own = ownRoute(scope);
        const ftag = own === null ? null : uriParam(own, 'ftag');
        const upstream = ftag !== null && ftag !== '' && ftag !== ftagOf(msg);
        return upstream === (direction === 'upstream');
      },
    },
  },
});

/** One or more `;name=value` or `;name` of RFC 3261 25.1 (uri-parameter, paramchar). */
const URI_PARAMS =
  /^(?:;(?:[\w\-.!~*'()[\]/:&+$]|%[\da-f]{2})+(?:=(?:[\w\-.!~*'()[\]/:&+$]|%[\da-f]{2})+)?)+$/i;

function ownRoute(scope: Scope): Uri | null {
  return routed.get(scope.avps)?.own ?? null;
}

function compile(regex: string): RegExp {
  try {
    return new RegExp(encodeText(regex), 'im');
  } catch (error) {
    throw errors.ERR_REGEX_SYNTAX('check_route_param', JSON.stringify(regex), String(error));
  }
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    rr: typeof rr;
  }
}
