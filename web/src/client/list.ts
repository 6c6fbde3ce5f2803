/** The list of the user's threads, last changed first. */
import type { ThreadItem } from "./protocol";

export type List = readonly ThreadItem[];

export function isForgotten(item: ThreadItem): boolean {
  return item.state === "forgotten";
}

/** True when more is known of the thread already: two announcements may cross on their way. */
export function isStale(list: List, item: ThreadItem): boolean {
  const known = list.find((other) => other.thread_id === item.thread_id);
  return known !== undefined && item.version < known.version;
}

export function listed(list: List, item: ThreadItem): List {
  return [...unlisted(list, item.thread_id), item].sort(lastChangedFirst);
}

export function unlisted(list: List, threadId: string): List {
  return list.filter((other) => other.thread_id !== threadId);
}

export function titled(list: List, threadId: string, title: string): List {
  return list.map((item) => (item.thread_id === threadId ? { ...item, title } : item));
}

/** Without what stood in the list when all of it was asked for, has not changed since, and was not in the answer. */
export function pruned(list: List, asked: List, answer: List): List {
  const there = new Set(answer.map((item) => item.thread_id));
  return list.filter((item) => there.has(item.thread_id) || !asked.includes(item));
}

function lastChangedFirst(a: ThreadItem, b: ThreadItem): number {
  if (a.updated_at === b.updated_at) return 0;
  return a.updated_at < b.updated_at ? 1 : -1;
}
