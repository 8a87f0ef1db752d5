import {
  Button,
  Content,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Spinner,
} from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { useNavigate } from "react-router";
import type { ScenarioField } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { Facts } from "../ui/Facts";
import { choices } from "../newrun/parameters";
import { useScenario } from "./catalogue";

interface Props {
  /** The scenario that is shown; empty for none. */
  readonly name: string;
  readonly onClose: () => void;
}

/** A scenario with its parameters. */
export function ScenarioDialog({ name, onClose }: Props) {
  const { data: scenario, error } = useScenario(name);
  const navigate = useNavigate();
  if (name === "") return null;
  const title = scenario?.title || name;
  return (
    <Modal isOpen variant="large" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} description={<code>{name}</code>} />
      <ModalBody tabIndex={0}>
        {error && <ErrorState title="It cannot be read" error={error} />}
        {!scenario && !error && <Spinner aria-label="Loading the scenario" />}
        {scenario && (
          <>
            <Content component="p">{scenario.description}</Content>
            <Facts
              facts={{
                Image: <code>{scenario.image}</code>,
                Kubeconfig: <code>{scenario.kubeconfigPath}</code>,
                Rollback: scenario.rollback ? "krkn can roll it back" : "none",
              }}
            />
            {scenario.fields.length > 0 && <Parameters fields={scenario.fields} />}
          </>
        )}
      </ModalBody>
      <ModalFooter>
        <Button onClick={() => void navigate(`/new?scenario=${encodeURIComponent(name)}`)}>
          Run this
        </Button>
        <Button variant="link" onClick={onClose}>
          Close
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function Parameters({ fields }: { readonly fields: readonly ScenarioField[] }) {
  return (
    <Table aria-label="Parameters" variant="compact" className="krkn-below">
      <Thead>
        <Tr>
          <Th width={25}>Variable</Th>
          <Th width={15}>Type</Th>
          <Th width={20}>Default</Th>
          <Th>What it is</Th>
        </Tr>
      </Thead>
      <Tbody>
        {fields.map((field) => (
          <Tr key={field.variable}>
            <Td dataLabel="Variable" className="krkn-wrap">
              <code>{field.variable}</code>
            </Td>
            <Td dataLabel="Type">
              {field.type}
              {field.required && !field.default && ", required"}
              {field.secret && ", secret"}
            </Td>
            <Td dataLabel="Default" className="krkn-wrap">
              {field.default ? <code>{field.default}</code> : <span className="krkn-faint">–</span>}
            </Td>
            <Td dataLabel="What it is" className="krkn-wrap">
              {field.description || field.short_description}
              {choices(field).length > 0 && (
                <span className="krkn-faint"> One of {choices(field).join(", ")}.</span>
              )}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
