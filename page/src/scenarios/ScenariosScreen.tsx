import {
  EmptyState,
  Label,
  PageSection,
  SearchInput,
  Skeleton,
  Title,
} from "@patternfly/react-core";
import { SearchIcon } from "@patternfly/react-icons";
import { Link } from "react-router";
import type { ScenarioSummary } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { useMerged } from "../ui/useMerged";
import { isFound, useCatalogue, useScenario } from "./catalogue";
import { ScenarioDialog } from "./ScenarioDialog";
import "./scenarios.css";

/** The catalogue: what there is to run. */
export default function ScenariosScreen() {
  const { data: scenarios, error, refetch } = useCatalogue();
  const [parameters, merge] = useMerged();
  const search = parameters.get("search") ?? "";
  const found = scenarios?.filter((each) => isFound(each, search));
  return (
    <PageSection isFilled>
      <Title headingLevel="h1" className="krkn-head">
        Scenarios
      </Title>
      <SearchInput
        className="krkn-head krkn-search"
        aria-label="Search the scenarios"
        placeholder="Search by name or title"
        value={search}
        onChange={(_, text) => merge({ search: text })}
        onClear={() => merge({ search: "" })}
      />
      {error && (
        <ErrorState
          title="The catalogue cannot be read"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {!scenarios && !error && <Skeleton height="20rem" screenreaderText="Loading the scenarios" />}
      {found?.length === 0 && (
        <EmptyState titleText="No scenario is called so" headingLevel="h2" icon={SearchIcon} />
      )}
      <ul className="krkn-scenarios" aria-label="Scenarios">
        {found?.map((scenario) => (
          <Entry key={scenario.name} scenario={scenario} onOpen={(name) => merge({ name })} />
        ))}
      </ul>
      <ScenarioDialog
        name={parameters.get("name") ?? ""}
        onClose={() => merge({ name: undefined })}
      />
    </PageSection>
  );
}

interface EntryProps {
  readonly scenario: ScenarioSummary;
  readonly onOpen: (name: string) => void;
}

function Entry({ scenario, onOpen }: EntryProps) {
  const { name, title } = scenario;
  const { data } = useScenario(name);
  return (
    <li className="krkn-scenario">
      <h2 className="krkn-scenario-title krkn-wrap">{title || name}</h2>
      <code className="krkn-faint krkn-wrap">{name}</code>
      <p className="krkn-scenario-text">{data?.description}</p>
      <p className="krkn-scenario-end">
        <button type="button" className="krkn-link" onClick={() => onOpen(name)}>
          {data ? `${data.fields.length} parameters` : "Parameters"}
          <span className="pf-v6-screen-reader"> of {title || name}</span>
        </button>
        <Link to={`/new?scenario=${encodeURIComponent(name)}`}>
          Run this<span className="pf-v6-screen-reader">: {title || name}</span>
        </Link>
        {data?.source === "administrator" && <Label isCompact>by an administrator</Label>}
      </p>
    </li>
  );
}
