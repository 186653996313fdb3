/** The list of tasks, page by page: more as one scrolls, and what is on the screen read again when something has changed. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { get } from "../../api/client.ts";
import type { Task, TaskPage } from "../../api/schema.ts";
import { live } from "../../api/session.ts";
import type { TaskFilters } from "./filters.ts";

/** The first page comes quickly; whoever scrolls on wants many. */
const firstSize = 100;
const laterSize = 500;

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
  /** Reads the next page, unless it is being read. */
  readonly loadMore: () => void;
  /** These rows are on the screen. */
  readonly show: (first: number, last: number) => void;
  /** Resolves when what is on the screen has been read. */
  readonly refresh: () => Promise<void>;
}

/** The page that holds a row. */
function pageOf(row: number): number {
  return row < firstSize ? 0 : 1 + Math.floor((row - firstSize) / laterSize);
}

async function readPage(filters: TaskFilters, cursor: string | null, signal: AbortSignal): Promise<Page> {
  const limit = cursor === null ? firstSize : laterSize;
  const { tasks, cursor: next } = await get<TaskPage>("/v1/tasks", { ...filters, cursor, limit }, signal);
  return { cursor, next: next ?? null, tasks };
}

/** A page in the place of the one before. If it ends elsewhere now, the pages after it no longer follow it. */
function replaced(pages: readonly Page[], index: number, page: Page): readonly Page[] {
  const before = pages[index];
  if (before === undefined) return pages.length === 0 && page.cursor === null ? [page] : pages;
  if (before.cursor !== page.cursor) return pages;
  const after = before.next === page.next ? pages.slice(index + 1) : [];
  return [...pages.slice(0, index), page, ...after];
}

interface Work {
  readonly abort: AbortController;
  /** What is being read; null for nothing. */
  reading: Promise<void> | null;
}

export function useTaskPages(filters: TaskFilters): TaskPages {
  const [pages, setPages] = useState<readonly Page[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [isLoaded, setLoaded] = useState(false);
  const [reads, setReads] = useState(0);
  const latest = useRef(pages);
  latest.current = pages;
  const shown = useRef({ first: 0, last: 0 });
  const work = useRef<Work>({ abort: new AbortController(), reading: null });
  const key = JSON.stringify(filters);
  const query = useMemo(() => JSON.parse(key) as TaskFilters, [key]);

  /** One read at a time; a new filter ends those of the old one. `read` resolves with what is to be done with what it has read. */
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

  const loadMore = useCallback(() => {
    const last = latest.current.at(-1);
    if (last !== undefined && last.next === null) return;
    void run(async (signal) => {
      const page = await readPage(query, last?.next ?? null, signal);
      return () => {
        setPages((before) => (before.at(-1)?.next === page.cursor || before.length === 0 ? [...before, page] : before));
        setLoaded(true);
      };
    });
  }, [query, run]);

  const refresh = useCallback(async () => {
    // What is being read may have begun before the change.
    await work.current.reading;
    await run(async (signal) => {
      const { first, last } = shown.current;
      const from = pageOf(first);
      const to = Math.min(pageOf(last), latest.current.length - 1);
      const read: (readonly [index: number, page: Page])[] = [];
      for (let index = from; index <= Math.max(0, to); index += 1) {
        read.push([index, await readPage(query, latest.current[index]?.cursor ?? null, signal)]);
      }
      return () => {
        setLoaded(true);
        setPages((before) => read.reduce((pages, [index, page]) => replaced(pages, index, page), before));
      };
    });
  }, [query, run]);

  useEffect(() => {
    const mine: Work = { abort: new AbortController(), reading: null };
    work.current = mine;
    setPages([]);
    latest.current = [];
    setLoaded(false);
    loadMore();
    return () => mine.abort.abort();
  }, [loadMore]);

  useEffect(() => live.onRefresh(refresh), [refresh]);

  const show = useCallback((first: number, last: number) => {
    shown.current = { first, last };
  }, []);

  const tasks = useMemo(() => pages.flatMap((page) => page.tasks), [pages]);
  return { tasks, hasMore: pages.at(-1)?.next !== null, isLoaded, error, reads, loadMore, show, refresh };
}
