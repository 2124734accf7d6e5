import { Child } from './child.ts';
import { tempFolder } from './temp-folder.ts';

/** No window, no sandbox (tests run as root), no traffic of its own, and every name but this machine's address unknown. */
const ALONE = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
/** A microphone that is none and is not asked for; addresses as they are rather than by multicast names, and of loopback too. */
const MEDIA = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--allow-loopback-in-peer-connection',
];

/** Starts Chromium with a page. It takes any certificate for a good one. */
export function startChromium(url: string): Child {
  const folder = tempFolder();
  return new Child('chromium', [
    ...ALONE,
    ...MEDIA,
    '--ignore-certificate-errors',
    `--user-data-dir=${folder}`,
    url,
  ]);
}
