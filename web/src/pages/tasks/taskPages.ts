/** The list of tasks, page by page: more as one scrolls, and what is on the screen read again when something has changed. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Task, TaskPage } from "../../api/schema.ts";
import { live, queries } from "../../api/session.ts";
import { getTasks } from "../../api/taskReads.ts";
import type { TaskFilters } from "./filters.ts";

/** The first page comes quickly; whoever scrolls on wants many. */
const firstSize = 100;
const laterSize = 500;
/** What waits for one reason is looked for: after so many pages that were not full, whoever looks is asked whether to go on. */
const shortPagesMax = 20;

interface Page {
  /** Where it begins; null for the first one. */
  readonly cursor: string | null;
  readonly next: string | null;
  readonly tasks: readonly Task[];
}

export interface TaskPages {
  readonly tasks: readonly Task[];
  readonly hasMore: boolean;
  readonly isLoaded: boolean;
  readonly error: unknown;
  /** Changes whenever a read has ended: one that was asked for meanwhile was not begun. */
  readonly reads: number;
  /** Goes on where many tasks were looked at and few found; null where nobody has to be asked. */
  readonly lookFurther: (() => void) | null;
  /** Reads the next page, unless it is being read. */
  readonly loadMore: () => void;
  /** These rows are on the screen. */
  readonly show: (first: number, last: number) => void;
  /** Resolves when what is on the screen has been read. */
  readonly refresh: () => Promise<void>;
}

/** The page that holds a row. Pages may be short, even empty. */
function pageOf(row: number, pages: readonly Page[]): number {
  let before = 0;
  const index = pages.findIndex(({ tasks }) => {
    before += tasks.length;
    return row < before;
  });
  return index === -1 ? Math.max(0, pages.length - 1) : index;
}

function isShort({ cursor, next, tasks }: Page): boolean {
  return next !== null && tasks.length < (cursor === null ? firstSize : laterSize);
}

async function readPage(filters: TaskFilters, cursor: string | null, signal: AbortSignal): Promise<Page> {
  const limit = cursor === null ? firstSize : laterSize;
  const { tasks, cursor: next } = await getTasks<TaskPage>(queries, "/v1/tasks", { ...filters, cursor, limit }, signal);
  return { cursor, next: next ?? null, tasks };
}

/** Where the pages of a list stay for a while once somebody has left it: back leads to the rows that were on the screen. */
const leftKey = (key: string) => ["left tasks", key];

function leftPages(key: string): readonly Page[] {
  return queries.getQueryData<readonly Page[]>(leftKey(key)) ?? [];
}

/** A page in the place of the one before. If it ends elsewhere now, the pages after it no longer follow it. */
function replaced(pages: readonly Page[], index: number, page: Page): readonly Page[] {
  const before = pages[index];
  if (before === undefined) return pages.length === 0 && page.cursor === null ? [page] : pages;
  if (before.cursor !== page.cursor) return pages;
  const after = before.next === page.next ? pages.slice(index + 1) : [];
  return [...pages.slice(0, index), page, ...after];
}

/** Which rows are on the screen, and which pages may have changed since they were read. */
class Shown {
  rows: readonly [first: number, last: number] = [0, 0];
  /** Where those pages begin. */
  readonly #stale = new Set<string | null>();

  /** The first and the last page that has a row on the screen. */
  rangeIn(pages: readonly Page[]): readonly [from: number, to: number] {
    const [first, last] = this.rows;
    return [pageOf(first, pages), pageOf(last, pages)];
  }

  isStale(pages: readonly Page[]): boolean {
    const [from, to] = this.rangeIn(pages);
    return pages.slice(from, to + 1).some(({ cursor }) => this.#stale.has(cursor));
  }

  noteStale(pages: readonly Page[]): void {
    for (const { cursor } of pages) this.#stale.add(cursor);
  }

  noteRead(pages: readonly Page[]): void {
    for (const { cursor } of pages) this.#stale.delete(cursor);
  }
}

interface Work {
  readonly abort: AbortController;
  /** What is being read; null for nothing. */
  reading: Promise<void> | null;
}

/** One read at a time; a new filter ends those of the old one. */
function useReads() {
  const [error, setError] = useState<unknown>(null);
  const [reads, setReads] = useState(0);
  const work = useRef<Work>({ abort: new AbortController(), reading: null });
  /** `read` resolves with what is to be done with what it has read. */
  const run = useCallback((read: (signal: AbortSignal) => Promise<() => void>): Promise<void> => {
    const mine = work.current;
    mine.reading ??= read(mine.abort.signal).then(
      (apply) => {
        // Before it is shown: what is shown then may ask for more.
        mine.reading = null;
        if (mine.abort.signal.aborted) return;
        setReads((before) => before + 1);
        setError(null);
        apply();
      },
      (thrown: unknown) => {
        mine.reading = null;
        if (!mine.abort.signal.aborted) setError(thrown);
      },
    );
    return mine.reading;
  }, []);
  return { work, run, reads, error };
}

/** Reads on when something has changed, and when what may have changed comes to the screen. @returns what is told which rows are on it */
function useShow(shown: Shown, latest: { readonly current: readonly Page[] }, refresh: () => Promise<void>) {
  useEffect(() => {
    return live.onRefresh(() => {
      shown.noteStale(latest.current);
      return refresh();
    });
  }, [shown, latest, refresh]);

  return useCallback(
    (first: number, last: number) => {
      shown.rows = [first, last];
      if (shown.isStale(latest.current)) void refresh();
    },
    [shown, latest, refresh],
  );
}

export function useTaskPages(filters: TaskFilters): TaskPages {
  const key = JSON.stringify(filters);
  const [pages, setPages] = useState(() => leftPages(key));
  const [isLoaded, setLoaded] = useState(pages.length > 0);
  const { work, run, reads, error } = useReads();
  const latest = useRef(pages);
  latest.current = pages;
  const [shown] = useState(() => new Shown());
  const [shortPages, setShortPages] = useState(0);
  const query = useMemo(() => JSON.parse(key) as TaskFilters, [key]);

  const read = useCallback(() => {
    const last = latest.current.at(-1);
    if (last !== undefined && last.next === null) return;
    void run(async (signal) => {
      const page = await readPage(query, last?.next ?? null, signal);
      return () => {
        setPages((before) => (before.at(-1)?.next === page.cursor || before.length === 0 ? [...before, page] : before));
        setLoaded(true);
        if (query.waiting !== undefined && isShort(page)) setShortPages((before) => before + 1);
      };
    });
  }, [query, run]);

  const isAsking = shortPages >= shortPagesMax;
  const loadMore = useCallback(() => {
    if (!isAsking) read();
  }, [isAsking, read]);
  const lookFurther = useCallback(() => {
    setShortPages(0);
    read();
  }, [read]);

  const refresh = useCallback(async () => {
    // What is being read may have begun before the change.
    await work.current.reading;
    await run(async (signal) => {
      const known = latest.current;
      const [from, to] = shown.rangeIn(known);
      const read: (readonly [index: number, page: Page])[] = [];
      for (let index = from; index <= to; index += 1) {
        // Of those between, the ones without rows are not looked through again and again.
        if (index > from && known[index]?.tasks.length === 0) continue;
        read.push([index, await readPage(query, known[index]?.cursor ?? null, signal)]);
      }
      return () => {
        shown.noteRead(known.slice(from, to + 1));
        setLoaded(true);
        setPages((before) => read.reduce((pages, [index, page]) => replaced(pages, index, page), before));
      };
    });
  }, [query, run, shown, work]);

  useEffect(() => {
    const mine: Work = { abort: new AbortController(), reading: null };
    work.current = mine;
    const left = leftPages(key);
    shown.noteStale(left);
    setPages(left);
    latest.current = left;
    setLoaded(left.length > 0);
    setShortPages(0);
    if (left.length === 0) read();
    else void refresh();
    return () => {
      mine.abort.abort();
      queries.setQueryData(leftKey(key), latest.current);
    };
  }, [key, read, refresh, shown, work]);

  const show = useShow(shown, latest, refresh);
  const tasks = useMemo(() => pages.flatMap((page) => page.tasks), [pages]);
  const hasMore = pages.at(-1)?.next !== null;
  return {
    ...{ tasks, hasMore, isLoaded, error, reads, loadMore, show, refresh },
    lookFurther: hasMore && isAsking ? lookFurther : null,
  };
}
