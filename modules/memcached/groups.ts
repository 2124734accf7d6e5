import { errors } from '../../core/index.ts';
import { parseServers, type ServerList } from './server-list.ts';

/** A group's name: it stands in keys, logs and statistics. */
const GROUP_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;

/** What is wrong with the name of a group, or null. */
export function groupNameProblem(name: string): string | null {
  return GROUP_NAME.test(name)
    ? null
    : 'the name of a group is a letter and up to 31 letters, digits, _ and - behind it';
}

/** Servers of each group by its name; `''` is the group of keys that name none. */
export type GroupLists = ReadonlyMap<string, Extract<ServerList, { ok: true }>>;

/**
 * Reads the parameters `servers` and `groups`.
 *
 * @throws ERR_MEMCACHED_SERVERS
 */
export function groupLists(servers: string, groups: Readonly<Record<string, string>>): GroupLists {
  const entries = [['', servers] as const, ...Object.entries(groups)];
  return new Map(
    entries.map(([name, text]) => {
      const parsed = parseServers(text);
      if (!parsed.ok) throw errors.ERR_MEMCACHED_SERVERS(text, parsed.reason);
      return [name, parsed];
    }),
  );
}

/**
 * The entry of a group.
 *
 * @throws ERR_MEMCACHED_GROUP when there is no group of that name.
 */
export function groupOf<T>(groups: ReadonlyMap<string, T>, name: string): T {
  const found = groups.get(name);
  if (found !== undefined) return found;
  const names = [...groups.keys()].filter((known) => known !== '');
  throw errors.ERR_MEMCACHED_GROUP(name, names.length === 0 ? 'none' : names.join(', '));
}
