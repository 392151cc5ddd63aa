/** What the link of an invitation opens: joining as who is signed in, or as a new user. */
import { Alert, Button, PasswordInput, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useNavigate } from "react-router";
import { body, console, data } from "@/api/client";
import { ApiError } from "@/api/error";
import { Entry, EntryLink } from "@/components/entry";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { Problem } from "@/components/problem";
import { SecretLink } from "@/components/secret-link";
import type { components } from "@/generated/console";
import { useToken } from "@/lib/token";
import { begin, end, useSessionQuery } from "@/session/session";

type Invitation = components["schemas"]["InvitationOut"];

export default function Invite() {
  const token = useToken();
  const session = useSessionQuery();
  if (!token) {
    return (
      <Entry title="Invitation" footer={<EntryLink to="/sign-in">Go to sign-in</EntryLink>}>
        <Problem error={new ApiError(410, "The link is incomplete. Open the one of the mail again.")} />
      </Entry>
    );
  }
  return (
    <SecretLink
      title="Invitation"
      queryKey={["invite", token]}
      look={() => data(console.POST("/invites/look", { body: { token } }))}
    >
      {(invitation) => {
        if (session.data) return <Join token={token} invitation={invitation} as={session.data.user.email} />;
        if (invitation.has_user) return <SignInFirst token={token} invitation={invitation} />;
        return <NewUser token={token} invitation={invitation} />;
      }}
    </SecretLink>
  );
}

function words({ account, role }: Invitation): string {
  return `You are invited to look after the account ${account} as ${role}.`;
}

interface Props {
  token: string;
  invitation: Invitation;
}

function Join({ token, invitation, as }: Props & { as: string }) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: {},
    send: async () => {
      const joined = await data(console.POST("/invites/accept", { body: { token } }));
      return data(console.POST("/session/account", { body: { account_id: joined.account_id } }));
    },
    done: (session) => {
      begin(session);
      notifyDone(`Welcome to ${invitation.account}.`);
      navigate("/");
    },
  });
  const signOut = async () => {
    await body(console.DELETE("/session"));
    end();
  };
  if (as !== invitation.email) {
    return (
      <Entry title="Invitation" about={words(invitation)}>
        <Alert color="yellow" variant="light">
          It is for {invitation.email}, and you are signed in as {as}.
        </Alert>
        <Button onClick={signOut}>Sign out and go on</Button>
      </Entry>
    );
  }
  return (
    <Entry title="Invitation" about={words(invitation)}>
      <Form form={form} submit={`Join as ${as}`} wide>
        {null}
      </Form>
    </Entry>
  );
}

/** The token goes on behind the #, which no server sees. */
function SignInFirst({ token, invitation }: Props) {
  const navigate = useNavigate();
  return (
    <Entry title="Invitation" about={words(invitation)}>
      <Stack>
        <Text size="sm">{invitation.email} signs in here already. Sign in, then join.</Text>
        <Button onClick={() => navigate(`/sign-in?back=${encodeURIComponent(`/invite#${token}`)}`)}>
          Sign in
        </Button>
      </Stack>
    </Entry>
  );
}

function NewUser({ token, invitation }: Props) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: { name: "", last_name: "", password: "" },
    send: (values) => body(console.POST("/invites/accept", { body: { token, ...values } })),
    done: () => {
      notifyDone("You have joined. Sign in with your new password.");
      navigate("/sign-in");
    },
  });
  return (
    <Entry title="Invitation" about={words(invitation)}>
      <Form form={form} submit="Join" wide>
        <SimpleGrid cols={2} spacing="sm">
          <TextInput
            label="First name"
            autoComplete="given-name"
            autoFocus
            required
            {...form.getInputProps("name")}
          />
          <TextInput label="Last name" autoComplete="family-name" {...form.getInputProps("last_name")} />
        </SimpleGrid>
        <TextInput label="Email" autoComplete="username" value={invitation.email} readOnly variant="filled" />
        <PasswordInput
          label="Password"
          description="At least 10 characters"
          autoComplete="new-password"
          required
          {...form.getInputProps("password")}
        />
      </Form>
    </Entry>
  );
}
