/** The one query client and the one live connection of a page. */
import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client.ts";
import { Live } from "./live.ts";

const triesMax = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      staleTime: 1_000,
      // What the API has refused, it refuses again.
      retry: (count, error) => count < triesMax && !(error instanceof ApiError && error.status < 500),
      retryDelay: (count) => 300 * 2 ** count,
    },
    mutations: { networkMode: "always" },
  },
});

export const live = new Live(queries);
