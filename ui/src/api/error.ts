/** What went wrong with a request, in the one shape that the dashboard shows. */
export class ApiError extends Error {
  /** 0: there was no answer at all. */
  readonly status: number;
  /** Dot path of a field -> what is wrong with it. */
  readonly fields: Readonly<Record<string, string>>;
  /** The entry of the catalogue of refusals, if it is one. */
  readonly rule: string | null;
  /** Seconds after which to try again. */
  readonly retryAfter: number | null;
  /** To quote when somebody asks for help. */
  readonly requestId: string | null;

  constructor(status: number, message: string, facts: Partial<Omit<ApiError, keyof Error>> = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.fields = facts.fields ?? {};
    this.rule = facts.rule ?? null;
    this.retryAfter = facts.retryAfter ?? null;
    this.requestId = facts.requestId ?? null;
  }
}

export const NO_ANSWER = "Postroom does not answer. Check the connection, then try again.";

/** The number that ends a text, like #MS42208, is for programs. */
export function withoutNumber(text: string): string {
  return text.replace(/\s*#MS\d+/g, "").trim();
}

/** The error that an answer stands for. Bodies that are not ours (a proxy's page) leave the status. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const { message, errors } = (typeof body === "object" && body !== null ? body : {}) as {
    message?: unknown;
    errors?: unknown;
  };
  const text = typeof message === "string" ? withoutNumber(message) : `The answer was ${response.status}.`;
  const retryAfter = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new ApiError(response.status, text, {
    fields: fieldsOf(errors),
    rule: response.headers.get("x-refusal"),
    retryAfter: Number.isNaN(retryAfter) ? null : retryAfter,
    requestId: response.headers.get("x-request-id"),
  });
}

function fieldsOf(errors: unknown): Record<string, string> {
  if (typeof errors !== "object" || errors === null) return {};
  return Object.fromEntries(
    Object.entries(errors).map(([path, texts]) => [
      path,
      [texts].flat().map(String).map(withoutNumber).join(" "),
    ]),
  );
}
