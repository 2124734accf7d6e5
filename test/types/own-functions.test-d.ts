import { defineRoutes, type RouteContext } from 'kamaiki';

// Which contexts functions of the user's own take. The compiler is the test.

async function toGateway({ pv, ksr }: RouteContext<'tm' | 'pv', 'request'>): Promise<void> {
  pv.$du.set('sip:10.0.0.7');
  ksr.tm.t_on_failure(null);
  // @ts-expect-error its context has no names of handlers
  ksr.tm.t_on_failure('busy');
  await ksr.tm.t_relay();
}

async function armed({ ksr }: RouteContext<'tm', 'request', { failure: 'busy' }>): Promise<void> {
  ksr.tm.t_on_failure('busy');
  // @ts-expect-error not one that it asks for
  ksr.tm.t_on_failure('moved');
  // @ts-expect-error nor is there an onreply handler
  ksr.tm.t_on_reply('busy');
  await ksr.tm.t_relay();
}

function within({ ksr }: RouteContext<'tm', 'request' | 'failure'>): boolean {
  return ksr.tm.t_reply(500, 'Server Internal Error');
}

defineRoutes({
  uses: ['pv', 'tm'],
  async request(context) {
    await toGateway(context);
    within(context);
    // @ts-expect-error these routes have no handler busy
    await armed(context);
  },
});

defineRoutes({
  uses: ['pv', 'tm', 'sl'],
  async request(context) {
    await toGateway(context);
    await armed(context);
    // @ts-expect-error no failure handler of that name
    context.ksr.tm.t_on_failure('bsy');
  },
  failure: {
    async busy(context) {
      within(context);
      // @ts-expect-error for request handlers
      await toGateway(context);
    },
    moved() {},
  },
  onreply: { media() {} },
});

defineRoutes({
  uses: ['tm'],
  async request(context) {
    // @ts-expect-error the module pv is not in uses
    await toGateway(context);
  },
});
