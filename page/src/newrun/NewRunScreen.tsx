import { Bullseye, PageSection, Spinner, Title } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { useSession } from "../api/live";
import { getRun } from "../api/runs";
import { useCatalogue } from "../scenarios/catalogue";
import { ErrorState } from "../ui/ErrorState";
import { shortId } from "../ui/ids";
import { draftOf, EMPTY } from "./draft";
import { NewRunForm } from "./NewRunForm";

/** A run to put together, from nothing, from a scenario, or from a run that there was. */
export default function NewRunScreen() {
  const [parameters] = useSearchParams();
  const from = parameters.get("from") ?? "";
  const scenarioName = parameters.get("scenario") ?? "";
  return (
    <PageSection isFilled>
      <Title headingLevel="h1" className="krkn-head">
        New run
        {from && <small className="krkn-faint"> as {shortId(from)}</small>}
      </Title>
      {from ? (
        <FromRun key={from} runId={from} />
      ) : (
        <NewRunForm key={scenarioName} initial={{ ...EMPTY, scenarioName }} />
      )}
    </PageSection>
  );
}

function FromRun({ runId }: { readonly runId: string }) {
  const { token } = useSession();
  const run = useQuery({
    queryKey: ["run to repeat", token, runId],
    queryFn: ({ signal }) => getRun(runId, signal),
    staleTime: Infinity,
  });
  const catalogue = useCatalogue();
  const error = run.error ?? catalogue.error;
  if (error) {
    const retry = () => void Promise.all([run.refetch(), catalogue.refetch()]);
    return <ErrorState title="That run cannot be read" error={error} onRetry={retry} />;
  }
  if (!run.data || !catalogue.data) {
    return (
      <Bullseye>
        <Spinner aria-label="Loading the run" />
      </Bullseye>
    );
  }
  const isInCatalogue = catalogue.data.some(({ name }) => name === run.data.scenarioName);
  const unknown = [...run.data.secretEnvironmentNames, ...run.data.fileNames];
  return <NewRunForm initial={draftOf(run.data, isInCatalogue)} unknown={unknown} />;
}
