/** What people change about themselves: who they are, how they sign in, where they are signed in. */
import { Page } from "@/components/page";
import { useSession } from "@/session/session";
import { Email } from "./email";
import { Password } from "./password";
import { Person } from "./person";
import { SecondFactor } from "./second-factor";
import { Sessions } from "./sessions";

export default function Profile() {
  const { user } = useSession();
  return (
    <Page title="Profile" about={user.email}>
      <Person />
      <Email />
      <Password />
      <SecondFactor />
      <Sessions />
    </Page>
  );
}
