/** Sizes that are checked before sending. API Gateway closes the socket with 1009 on a larger frame, so it is too late after. */
import { DayflyError } from "./errors";
import type { Request } from "./protocol";

/** Bytes of one frame: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
export const MAX_FRAME_BYTES = 32 * 1024;
/** Bytes of a message's text, counted as the JSON string that carries it. */
export const MAX_TEXT_BYTES = 24 * 1024;

const encoder = new TextEncoder();

/** Bytes of `text` as a JSON string: quotes and escapes included, non-ASCII characters raw in UTF-8. */
export function textBytes(text: string): number {
  return encoder.encode(JSON.stringify(text)).length;
}

/** The frame for `request`. Raises `DayflyError` `text_too_long` or `frame_too_large`, with nothing sent. */
export function encodeRequest(request: Request, id: string): string {
  if (request.action === "run") {
    const bytes = textBytes(request.text);
    if (bytes > MAX_TEXT_BYTES) {
      throw new DayflyError("text_too_long", `The message has ${bytes} bytes; ${MAX_TEXT_BYTES} are allowed.`);
    }
  }
  const frame = JSON.stringify({ ...request, id });
  const bytes = encoder.encode(frame).length;
  if (bytes > MAX_FRAME_BYTES) {
    throw new DayflyError("frame_too_large", `The frame has ${bytes} bytes; ${MAX_FRAME_BYTES} are allowed.`);
  }
  return frame;
}
