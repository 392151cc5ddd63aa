/**
 * The two APIs, typed by their own descriptions: `v1` is the public one, `console` what only the dashboard calls.
 *
 *     const users = await body(v1.GET("/users", { params: { query: { page: 2 } } }));
 *
 * Every failure is thrown as an ApiError. What changes something carries the session's CSRF token by itself.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { ApiError, errorOf, NO_ANSWER } from "@/api/error";
import type { paths as ConsolePaths } from "@/generated/console";
import type { paths as V1Paths } from "@/generated/v1";

let csrfToken = "";

/** Of the session there is from now on. */
export function holdToken(token: string) {
  csrfToken = token;
}

const manners: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && csrfToken) request.headers.set("x-csrf-token", csrfToken);
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await errorOf(response);
  },
  onError() {
    return new ApiError(0, NO_ANSWER);
  },
};

export const v1 = createClient<V1Paths>({ baseUrl: "/v1" });
export const console = createClient<ConsolePaths>({ baseUrl: "/console" });
v1.use(manners);
console.use(manners);

/** What was answered. */
export async function body<Answer extends { data?: unknown }>(
  answer: Promise<Answer>,
): Promise<NonNullable<Answer["data"]>> {
  return (await answer).data as NonNullable<Answer["data"]>;
}

/** What was answered by an endpoint that wraps one object: `{"data": ...}`. */
export async function data<Wrapped extends { data: unknown }>(
  answer: Promise<{ data?: Wrapped }>,
): Promise<Wrapped["data"]> {
  return (await body(answer)).data;
}
