import {
  Alert,
  Bullseye,
  Button,
  Card,
  CardBody,
  CardTitle,
  ClipboardCopy,
  Content,
  Form,
  FormGroup,
  TextInput,
} from "@patternfly/react-core";
import { useState } from "react";
import { useSession } from "../api/live";
import { session } from "../api/session";

const COMMAND = "kubectl create token NAME --namespace NAMESPACE --audience krkn-grpc";

/** Asks for a token. It is kept in memory only: a reload asks again. */
export function SignIn() {
  const [token, setToken] = useState("");
  const { wasWrong } = useSession();
  return (
    <Bullseye>
      <Card className="krkn-sign-in">
        <CardTitle component="h1">Sign in</CardTitle>
        <CardBody>
          <Form
            onSubmit={(event) => {
              event.preventDefault();
              session.signIn(token);
            }}
          >
            {wasWrong && (
              <Alert variant="danger" isInline component="p" title="The token is not accepted">
                It may have expired, or be for another audience.
              </Alert>
            )}
            <Content component="p">
              The service knows you by a token. This page keeps it in memory, until it is reloaded.
            </Content>
            <FormGroup label="Token" fieldId="token">
              <TextInput
                id="token"
                type="password"
                autoComplete="off"
                autoFocus
                value={token}
                onChange={(_, text) => setToken(text)}
              />
            </FormGroup>
            <Button type="submit" isDisabled={!token.trim()}>
              Sign in
            </Button>
            <Content component="small">
              A token of a service account; where the service runs with <code>make run</code> and no
              authentication, open the address that it has printed.
            </Content>
            <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied">
              {COMMAND}
            </ClipboardCopy>
          </Form>
        </CardBody>
      </Card>
    </Bullseye>
  );
}
