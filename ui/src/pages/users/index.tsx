/** Who looks after the account, and who is invited to. */
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { Page } from "@/components/page";
import { Invite } from "./invite";
import { Invites } from "./invites";
import { Members } from "./members";

export default function Users() {
  const [inviting, invite] = useDisclosure();
  return (
    <Page
      title="Users"
      about="People who sign in and look after this account. Programs are no users: they have SMTP users and API tokens."
      actions={
        <Button leftSection={<IconUserPlus size={17} />} onClick={invite.open}>
          Invite somebody
        </Button>
      }
    >
      <Members />
      <Invites />
      <Invite opened={inviting} close={invite.close} />
    </Page>
  );
}
