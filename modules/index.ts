import { corex } from './corex/corex.ts';
import { htable } from './htable/htable.ts';
import { maxfwd } from './maxfwd/maxfwd.ts';
import { memcached } from './memcached/memcached.ts';
import { nathelper } from './nathelper/nathelper.ts';
import { outbound } from './outbound/outbound.ts';
import { path } from './path/path.ts';
import { pv } from './pv/pv.ts';
import { rr } from './rr/rr.ts';
import { sanity } from './sanity/sanity.ts';
import { siputils } from './siputils/siputils.ts';
import { sl } from './sl/sl.ts';
import { textops } from './textops/textops.ts';
import { tm } from './tm/tm.ts';
import { uacRedirect } from './uac_redirect/uac-redirect.ts';
import { xlog } from './xlog/xlog.ts';

/** Every module this build brings: the only file that imports them all. */
export const builtinModules = [
  corex,
  htable,
  maxfwd,
  memcached,
  nathelper,
  outbound,
  path,
  pv,
  rr,
  sanity,
  siputils,
  sl,
  textops,
  tm,
  uacRedirect,
  xlog,
] as const;

export * from '../core/index.ts';

// By name as well: a routes file outside this package gets the modules' types by these imports.
export {
  corex,
  htable,
  maxfwd,
  memcached,
  nathelper,
  outbound,
  path,
  pv,
  rr,
  sanity,
  siputils,
  sl,
  textops,
  tm,
  uacRedirect,
  xlog,
};
