/** A worker's attach at a master that does not know yet who leads. */
import { expect, test, vi } from "vitest";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { RawConnection } from "../../proof/fakes/rawHttp.ts";
import { createApi } from "../http/server.ts";

const token = "a-token-of-some-length";

test("a worker that has hung up by the time there is a leader is still known by its address", async () => {
  const error = vi.fn();
  const master = new FakeMasterApi();
  const leaderless = { ...master.state, role: "standby" as const, leader: null };
  const asked = vi.spyOn(master, "status").mockReturnValue(leaderless);
  const api = createApi({ master, log: { debug: () => {}, info: () => {}, warn: () => {}, error }, token });
  const url = await api.listen({ address: "127.0.0.1", port: 0 });
  try {
    const connection = await RawConnection.open(url);
    const body = JSON.stringify(attachRequest());
    const head = [
      "POST /v1/workers/w/sessions HTTP/1.1",
      "Host: localhost",
      `Authorization: Bearer ${token}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
    ];
    connection.send(`${head.join("\r\n")}\r\n\r\n${body}`);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    connection.socket.resetAndDestroy();
    await vi.waitFor(() => expect(master.calls).toHaveLength(1), { timeout: 5000 });
    expect(master.calls[0]?.with.at(-1)).toBe("127.0.0.1");
    expect(error).not.toHaveBeenCalled();
  } finally {
    await api.close();
  }
});
