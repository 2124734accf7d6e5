import { defineRoutes, type SipRequest } from '../../core/index.ts';
import { expectType } from './typed-fixture.ts';

// Nothing here runs: the compiler is the test.

defineRoutes({
  uses: ['typed_fixture'],
  async request({ msg, pv, ksr }) {
    expectType<typeof msg, SipRequest>(true);
    const plain = pv.$tf_plain.get();
    expectType<typeof plain, string>(true);
    const settable = pv.$tf_settable.get();
    expectType<typeof settable, string | null>(true);
    pv.$tf_settable.set('x');
    pv.$tf_settable.set(null);
    const value = await pv.$tf_key('k').get();
    expectType<typeof value, number | null>(true);
    const stored = await pv.$tf_key('k', { expire: 5 }).set('text');
    expectType<typeof stored, boolean>(true);
    const n = pv.$tf_state.get();
    expectType<typeof n, number>(true);
    const done = await ksr.typed_fixture.on_requests(200, 'OK');
    expectType<typeof done, boolean>(true);

    // @ts-expect-error a variable that can only be read has no set
    pv.$tf_plain.set('x');
    // @ts-expect-error a number is not what it takes
    pv.$tf_settable.set(5);
    // @ts-expect-error a boolean is not what it takes
    await pv.$tf_key('k').set(true);
    // @ts-expect-error the key is required
    pv.$tf_key();
    // @ts-expect-error it takes no parentheses
    pv.$tf_plain();
    // @ts-expect-error it needs parentheses
    pv.$tf_key.get();
    // @ts-expect-error no such variable
    void pv.$tf_nope;
    // @ts-expect-error no such function
    ksr.typed_fixture.nope();
    // @ts-expect-error the code is a number
    await ksr.typed_fixture.on_requests('200');
    // @ts-expect-error a promise is not its value
    const waiting: number | null = pv.$tf_key('k').get();
    void waiting;
  },
});

defineRoutes({
  uses: [],
  request({ pv, ksr }) {
    // @ts-expect-error the module is not in uses
    void ksr.typed_fixture;
    // @ts-expect-error nor are its variables there
    void pv.$tf_plain;
  },
});

defineRoutes({
  // @ts-expect-error no such module
  uses: ['nope'],
  request() {},
});

// @ts-expect-error a request handler is required
defineRoutes({ uses: [] });

defineRoutes({
  uses: [],
  request() {},
  // @ts-expect-error no such key
  failures: {},
});

// Whether a request was sent on is always a promise: a condition that forgets to wait for it does not compile, and the linter finds its negation.
defineRoutes({
  uses: ['tm', 'corex'],
  async request({ ksr }) {
    // @ts-expect-error -- always true
    if (ksr.tm.t_relay()) return; // oxlint-disable-line typescript/no-misused-promises -- the compiler shall find it
    // @ts-expect-error -- always true
    if (ksr.corex.forward()) return; // oxlint-disable-line typescript/no-misused-promises -- the compiler shall find it
    const sent: boolean = await ksr.tm.t_relay_to('10.0.0.9');
    if (!sent) throw new Error('not sent');
  },
});
