import type { MetricsService } from '../registry/metrics.ts';
import type { Handlers } from '../routing/handlers.ts';
import type { Lanes } from '../routing/lanes.ts';
import type { LookupCounters } from '../transport/shared-lookups.ts';
import type { ListenPoint } from '../sip/hop.ts';
import { printListenOption } from '../transport/listen-option.ts';
import type { Transports } from '../transport/transports.ts';
import type { Admission } from './admission.ts';
import { type IngressCounters, METHOD_LABELS } from './ingress-counters.ts';

interface Counted {
  readonly ingress: { readonly counters: Readonly<IngressCounters> };
  readonly admission: Admission;
  readonly handlers: Handlers;
  readonly lanes: readonly Lanes[];
  readonly core: { readonly lookups: Readonly<LookupCounters> };
}

/** Declares what the proxy itself counts. */
export function declareProxyFigures(
  metrics: MetricsService,
  { ingress, admission, handlers, lanes, core }: Counted,
): void {
  metrics.counter({
    name: 'kamaiki_requests_total',
    help: 'Requests received, by method; those with a method that is not well known count as other.',
    labels: ['method'],
    read(sample) {
      for (const [slot, count] of ingress.counters.byMethod.entries())
        sample({ method: METHOD_LABELS[slot] ?? 'other' }, count);
    },
  });
  metrics.counter({
    name: 'kamaiki_responses_total',
    help: 'Responses received, by class.',
    labels: ['class'],
    read: (sample) => sampleClasses(ingress.counters.byClass, sample),
  });
  metrics.counter({
    name: 'kamaiki_malformed_total',
    help: 'Messages received that are no proper SIP; answered where that is possible, else dropped.',
    read: () => ingress.counters.rejected,
  });
  metrics.counter({
    name: 'kamaiki_refused_total',
    help: 'Messages refused because there was no room for them: requests got 503.',
    read: () => ingress.counters.refused,
  });
  metrics.gauge({
    name: 'kamaiki_admission_rate',
    help: 'New requests a second that are taken while messages wait too long (limits.max_wait); +Inf: all are.',
    read: () => admission.rate,
  });
  metrics.counter({
    name: 'kamaiki_stray_responses_total',
    help: 'Responses received that belong to no request, or that are not for this proxy.',
    read: () => ingress.counters.stray,
  });
  metrics.gauge({
    name: 'kamaiki_handlers_running',
    help: 'Handlers of the routes that wait for something; bounded by limits.handlers.',
    read: () => handlers.running,
  });
  metrics.gauge({
    name: 'kamaiki_messages_waiting',
    help: 'Messages that wait for one before them of the same dialog; bounded by limits.max_lane for each dialog.',
    read: () => lanes.reduce((sum, each) => sum + each.tasks - each.lanes, 0),
  });
  metrics.counter({
    name: 'kamaiki_dns_lookups_total',
    help: 'Look-ups of host names: cached (the answer was remembered), asked, shared (asked for already) or refused (too many at a time).',
    labels: ['result'],
    read(sample) {
      const { cached, shared, asked, refused } = core.lookups;
      for (const [result, count] of Object.entries({ cached, shared, asked, refused }))
        sample({ result }, count);
    },
  });
}

/** Gives counts by the first digit of a status as `1xx` to `6xx`. */
function sampleClasses(
  counts: readonly number[],
  sample: (labels: { readonly class: string }, count: number) => void,
): void {
  for (let digit = 1; digit <= 6; digit += 1) sample({ class: `${digit}xx` }, counts[digit] ?? 0);
}

type Statistics = ReturnType<Transports['statistics']>[number];

/** Declares what the sockets count, for each address that is listened on. */
export function declareTransportFigures(metrics: MetricsService, transports: Transports): void {
  const counter = (name: string, help: string, value: (statistics: Statistics) => number): void =>
    metrics.counter({
      name,
      help,
      labels: ['protocol', 'listen'],
      read(sample) {
        for (const each of transports.statistics()) sample(placeOf(each.point), value(each));
      },
    });
  counter(
    'kamaiki_transport_received_messages_total',
    'Messages received, by protocol and listen address.',
    ({ received }) => received,
  );
  counter(
    'kamaiki_transport_received_bytes_total',
    'Size of the messages received, bytes.',
    ({ receivedBytes }) => receivedBytes,
  );
  counter(
    'kamaiki_transport_sent_messages_total',
    'Messages that the system took to send.',
    ({ sent }) => sent,
  );
  counter(
    'kamaiki_transport_sent_bytes_total',
    'Size of the messages sent, bytes.',
    ({ sentBytes }) => sentBytes,
  );
  counter(
    'kamaiki_transport_keepalives_total',
    'Datagrams and pings received that only keep a binding or connection open.',
    ({ keepAlives }) => keepAlives,
  );
  counter(
    'kamaiki_transport_errors_total',
    'Messages that could not be sent, connections refused, and faults of sockets and of what came on them.',
    (statistics) => statistics.errors,
  );
  metrics.gauge({
    name: 'kamaiki_transport_connections',
    help: 'Connections open, by protocol and listen address; bounded by tcp.max_connections.',
    labels: ['protocol', 'listen'],
    read(sample) {
      for (const point of transports.points) {
        if (point.protocol !== 'udp') sample(placeOf(point), transports.connectionsOf(point));
      }
    },
  });
}

/** The labels of a listen point: its address as the log has it. */
function placeOf({ protocol, address, port }: ListenPoint) {
  return { protocol, listen: printListenOption({ protocol, host: address, port }) };
}
