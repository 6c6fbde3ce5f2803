/** Which server and agent the page talks to, and where a token comes from. By default the server is the page's own. */
import * as v from "valibot";

const Token = v.object({ token: v.pipe(v.string(), v.minLength(1)), expires_at: v.optional(v.string()) });

/** The WebSocket's address: `?server=wss://…` when given, else the stage `live` on the page's own host. */
export function serverUrl(location: Location): string {
  const given = new URLSearchParams(location.search).get("server");
  if (given !== null && /^wss?:\/\//.test(given)) return given;
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`;
}

/** The agent that messages go to: `?agent=…` when given, else the backend's default one. */
export function agentName(location: Location): string | undefined {
  return new URLSearchParams(location.search).get("agent") || undefined;
}

/** A token of the development issuer, which exists only in the emulator. Raises `Error` with a readable message. */
export async function developmentToken(user: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`/token?user=${encodeURIComponent(user)}`, { headers: { accept: "application/json" } });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (!response.ok) throw new Error(`The token issuer answered ${response.status}.`);
  const parsed = v.safeParse(Token, await response.json().catch(() => undefined));
  if (!parsed.success) throw new Error("The token issuer's answer holds no token.");
  return parsed.output.token;
}
