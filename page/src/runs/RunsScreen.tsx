import { Content, PageSection, Title } from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { ErrorState } from "../ui/ErrorState";
import { Status } from "../ui/Status";
import { useRuns } from "./useRuns";

/** The runs, newest first. */
export function RunsScreen() {
  const { data: runs, error, refetch } = useRuns({});
  return (
    <PageSection>
      <Title headingLevel="h1">Runs</Title>
      {error && (
        <ErrorState title="Runs cannot be shown" error={error} onRetry={() => void refetch()} />
      )}
      {runs?.length === 0 && <Content component="p">Nothing has run yet.</Content>}
      {runs && runs.length > 0 && (
        <Table aria-label="Runs" variant="compact">
          <Thead>
            <Tr>
              <Th>Scenario</Th>
              <Th>Status</Th>
              <Th>Targets</Th>
              <Th>Run</Th>
            </Tr>
          </Thead>
          <Tbody>
            {runs.map((run) => (
              <Tr key={run.runId}>
                <Td dataLabel="Scenario">{run.scenarioName}</Td>
                <Td dataLabel="Status">
                  <Status status={run.status} />
                </Td>
                <Td dataLabel="Targets">{run.counts?.total}</Td>
                <Td dataLabel="Run">
                  <code>{run.runId}</code>
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
    </PageSection>
  );
}
