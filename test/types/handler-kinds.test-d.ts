import { defineRoutes, type SipRequest, type SipResponse } from '../../core/index.ts';
import { expectType } from './typed-fixture.ts';

// Which functions each kind of handler may call, and which names it may give. The compiler is the test.

defineRoutes({
  uses: ['typed_fixture'],
  request({ ksr }) {
    ksr.typed_fixture.anywhere();
    void ksr.typed_fixture.on_requests(1);
    ksr.typed_fixture.arm_failure('busy');
    ksr.typed_fixture.arm_failure('moved');
    ksr.typed_fixture.arm_reply('media');
    // @ts-expect-error for replies
    ksr.typed_fixture.on_replies();
    // @ts-expect-error for failure handlers
    ksr.typed_fixture.on_failure_only();
    // @ts-expect-error no failure handler of that name
    ksr.typed_fixture.arm_failure('bsy');
    // @ts-expect-error the name of an onreply handler
    ksr.typed_fixture.arm_failure('media');
    // @ts-expect-error any text may be no name
    ksr.typed_fixture.arm_failure(String(1));
  },
  reply({ msg, ksr }) {
    expectType<typeof msg, SipResponse>(true);
    ksr.typed_fixture.anywhere();
    ksr.typed_fixture.on_replies();
    ksr.typed_fixture.arm_reply('media');
    // @ts-expect-error for requests
    ksr.typed_fixture.on_requests(1);
  },
  onreply: {
    media({ msg, ksr }) {
      expectType<typeof msg, SipResponse>(true);
      ksr.typed_fixture.on_replies();
      // @ts-expect-error for requests
      ksr.typed_fixture.arm_failure('busy');
    },
  },
  failure: {
    busy({ msg, ksr }) {
      expectType<typeof msg, SipRequest>(true);
      ksr.typed_fixture.on_failure_only();
      ksr.typed_fixture.arm_failure('moved');
      // @ts-expect-error no onreply handler of that name
      ksr.typed_fixture.arm_reply('busy');
      // @ts-expect-error for replies
      ksr.typed_fixture.on_replies();
    },
    moved() {},
  },
  branch: {
    each({ msg, ksr }) {
      expectType<typeof msg, SipRequest>(true);
      void ksr.typed_fixture.on_requests(1);
      // @ts-expect-error for failure handlers
      ksr.typed_fixture.on_failure_only();
    },
  },
});

defineRoutes({
  uses: ['typed_fixture'],
  request({ ksr }) {
    // @ts-expect-error there are no failure handlers at all
    ksr.typed_fixture.arm_failure('busy');
  },
});
