/** All API tokens of the account: those for all of it, and those for one domain. */
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { Page } from "@/components/page";
import { TokenTable } from "./list";

export default function Tokens() {
  const [making, make] = useDisclosure();
  const button = (
    <Button leftSection={<IconPlus size={17} />} onClick={make.open}>
      Generate new token
    </Button>
  );
  return (
    <Page
      title="API tokens"
      about="For programs that use the API. Each sees and does what its scopes allow, for the whole account or for one domain."
      actions={button}
    >
      <TokenTable making={making} close={make.close} action={button} />
    </Page>
  );
}
