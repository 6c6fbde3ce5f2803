/** A request that did not succeed. `code` is the server's, or one of `text_too_long`, `frame_too_large`, `no_reply`, `gateway`, `closed`. */
export class DayflyError extends Error {
  override readonly name = "DayflyError";

  constructor(
    readonly code: string,
    message: string,
    readonly retryable = false,
  ) {
    super(message || code);
  }
}
