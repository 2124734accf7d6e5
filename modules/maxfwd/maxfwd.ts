import { type Avps, defineModule, errors, Header, param, type SipRequest, Slot } from '../../core/index.ts';

/** What the request of a transaction will leave with, once that has been decided. */
const written = new Slot<Avps, number>();

/** Max-Forwards, checked and lowered by the routes rather than when forwarding. */
export const maxfwd = defineModule({
  name: 'maxfwd',
  doc: 'Checks Max-Forwards, so that a request that runs in circles ends.',
  depends: [],
  params: {
    max_limit: param.int({
      default: 70,
      min: 1,
      max: 255,
      unit: 'count',
      doc: 'Highest Max-Forwards that a request leaves with; higher values are lowered to it.',
    }),
  },
  init: ({ params }) => ({ maxLimit: params.max_limit }),
  pseudoVariables: {},
  functions: {
    process_maxfwd: {
      on: 'request',
      doc: 'Lowers Max-Forwards by one, or adds it with `limit` when it is missing. False when it has reached 0: answer 483. Doing it again changes nothing.',
      signature: '(limit: number): boolean',
      call: ({ msg, scope, state }, limit: number): boolean => {
        if (!(Number.isInteger(limit) && limit >= 1 && limit <= state.maxLimit)) {
          throw errors.ERR_MAXFWD_LIMIT('process_maxfwd', state.maxLimit, String(limit));
        }
        if (msg.maxForwardsDone) return true;
        const received = msg.maxForwards;
        if (received !== null && received <= 0) return false;
        const leaving = received === null ? limit : Math.min(received - 1, state.maxLimit);
        write(msg, leaving);
        written.set(scope.avps, leaving);
        return true;
      },
    },
    is_maxfwd_lt: {
      on: 'request',
      doc: 'Whether Max-Forwards is less than `n`: the value to be sent once `process_maxfwd` has run, else the one received. False without the header.',
      signature: '(n: number): boolean',
      call: ({ msg, scope }, n: number): boolean => {
        const value = written.get(scope.avps) ?? msg.maxForwards;
        return value !== null && value >= 0 && value < n;
      },
    },
  },
});

/** RFC 3261 16.6 step 3. */
function write(request: SipRequest, value: number): void {
  const header = request.find(Header.maxForwards);
  // One that routes have removed stays removed.
  const isThere = header !== -1 && !request.edits.removes(request.headerStart(header));
  if (!isThere) request.edits.insert(request.headersEnd, `Max-Forwards: ${value}\r\n`);
  else request.edits.replace(request.valueStart(header), request.valueEnd(header), String(value));
  request.maxForwardsDone = true;
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    maxfwd: typeof maxfwd;
  }
}
