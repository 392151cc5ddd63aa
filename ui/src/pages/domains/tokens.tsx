import { TokenList } from "@/pages/tokens/list";
import type { Domain } from "./domain";

export function Tokens({ domain }: { domain: Domain }) {
  return (
    <TokenList
      title="API tokens"
      about={`For programs that use the API for ${domain.name}. Each sees and does what its scopes allow.`}
      domain={domain}
    />
  );
}
