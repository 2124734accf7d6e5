import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from '../programs/temp-folder.ts';

/** The name of a kamailio.yaml for the network of `kamaiki/testing`, with all modules that the shipped routes and examples use. */
export function configurationOf(routes: string): string {
  const file = join(tempFolder(), 'kamailio.yaml');
  writeFileSync(
    file,
    `listen: [ 'udp:192.0.2.100:5060', 'tcp:192.0.2.100:5060' ]
routes: ${JSON.stringify(routes)}
modules: { pv: {}, sl: {}, tm: {}, rr: {}, maxfwd: {}, siputils: {}, textops: {}, xlog: {}, memcached: { servers: embedded } }
`,
  );
  return file;
}
