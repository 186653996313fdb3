/** Asks for the token where the master wants one; it is kept until the tab is closed. */
import { type ReactNode, useState, useSyncExternalStore } from "react";
import { isTokenNeeded, setToken, subscribeToken } from "../api/client.ts";
import { live, queries } from "../api/session.ts";
import { Button, Field, Labelled } from "../parts/controls.tsx";
import { Card } from "../parts/surfaces.tsx";

export function TokenGate({ children }: { readonly children: ReactNode }) {
  const isNeeded = useSyncExternalStore(subscribeToken, isTokenNeeded);
  const [text, setText] = useState("");
  if (!isNeeded) return children;
  return (
    <div className="mx-auto mt-[12vh] max-w-sm">
      <Card title="This cluster wants a token">
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            setToken(text.trim());
            setText("");
            live.retry();
            void queries.resetQueries();
          }}
        >
          <Labelled label="Token" hint="The value of OUTLAST_TOKEN. This tab keeps it until it is closed.">
            {(id) => (
              <Field
                id={id}
                type="password"
                autoComplete="current-password"
                required
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Labelled>
          <Button type="submit" look="primary" className="justify-center">
            Continue
          </Button>
        </form>
      </Card>
    </div>
  );
}
