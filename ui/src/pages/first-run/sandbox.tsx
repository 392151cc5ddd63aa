import { Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { MakeSandbox } from "@/components/make-sandbox";
import { notifyDone } from "@/components/notify";
import { PageButton } from "@/components/page-button";
import { useSession } from "@/session/session";
import { FIRST_RUN } from "./first-run";
import type { StepProps } from "./step";

const MOST = 100;

/** One click sends a message that nobody gets. */
export function SandboxStep({ step }: StepProps) {
  const { user } = useSession();
  const domains = useQuery({
    queryKey: ["domains", "names"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST } } })),
  });
  const sandbox = domains.data?.data.find((one) => one.mode === "sandbox");
  const send = useChange(
    (domain: string) =>
      body(
        v1.POST("/email", {
          body: {
            from: { email: `hello@${domain}`, name: "Postroom" },
            to: [{ email: user.email }],
            subject: "Hello from the sandbox",
            text: "Nothing left the machine: this lies in the sandbox inbox.",
            html: "<h1>It works</h1><p>Nothing left the machine: this lies in the sandbox inbox.</p>",
          },
        }),
      ),
    {
      refresh: [...FIRST_RUN, ["inbox"]],
      done: () => notifyDone("Sent. It lies in the sandbox inbox, and nowhere else."),
    },
  );
  return (
    <Group>
      {domains.data && !sandbox && <MakeSandbox main />}
      {sandbox && (
        <Button
          variant={step.state === "done" ? "default" : "filled"}
          loading={send.isPending}
          onClick={() => send.mutate(sandbox.name)}
        >
          {step.state === "done" ? "Send another message" : "Send a message to the sandbox"}
        </Button>
      )}
      <PageButton to="/inbox">Open the sandbox inbox</PageButton>
    </Group>
  );
}
