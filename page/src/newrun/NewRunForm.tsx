import { Alert, ExpandableSection, Form } from "@patternfly/react-core";
import { useMemo, useState } from "react";
import { useTargets } from "../api/live";
import { useGlobals, useScenario } from "../scenarios/catalogue";
import { ErrorState } from "../ui/ErrorState";
import { newId } from "../ui/ids";
import { Actions } from "./Actions";
import { CheckResult } from "./CheckResult";
import { requestOf, settled, type Draft } from "./draft";
import { Elsewhere } from "./Elsewhere";
import { NewRunContext, type NewRun } from "./form";
import { LimitsSection, RegistryFields } from "./LimitsSection";
import { OtherFiles } from "./OtherFiles";
import { OtherVariables } from "./OtherVariables";
import { Parameters } from "./Parameters";
import { ScenarioSection } from "./ScenarioSection";
import { Section } from "./Section";
import { TargetsSection } from "./TargetsSection";
import { useBusy } from "./useTargetStates";
import { useSubmit } from "./useSubmit";
import { violationsOf, type Violations } from "./violations";
import "./newrun.css";

interface Props {
  readonly initial: Draft;
  /** Secret variables and files of the run that this one is made from: nobody tells what they are. */
  readonly unknown?: readonly string[];
}

const NONE: Violations = new Map();

/** The form of a new run; what is typed into it lives as long as it is on the screen. */
export function NewRunForm({ initial, unknown = [] }: Props) {
  const [given, setGiven] = useState(initial);
  const [violations, setViolations] = useState(NONE);
  // One id for the whole form: whatever is sent twice starts once.
  const [requestId] = useState(newId);
  const ofCatalogue = given.isFree ? "" : given.scenarioName;
  const scenario = useScenario(ofCatalogue);
  const globals = useGlobals(ofCatalogue);
  const form = useFields(given, scenario.data, globals.data?.fields);
  const { draft } = form;
  const targets = useTargets();
  const jobs = useBusy();
  const request = useMemo(
    () => requestOf(draft, [...form.own, ...form.globals]),
    [draft, form.own, form.globals],
  );
  const submit = useSubmit({ ...request, requestId }, (error) =>
    setViolations(violationsOf(error?.fields ?? [])),
  );
  const context: NewRun = {
    ...form,
    violations,
    update: (changes, ...keys) => {
      setGiven((before) => ({ ...before, ...(before === given ? draft : {}), ...changes }));
      submit.forget();
      if (keys.some((key) => violations.has(key))) {
        setViolations(new Map([...violations].filter(([key]) => !keys.includes(key))));
      }
    },
  };
  const choose = (scenarioName: string, isFree: boolean) => {
    const { targets: chosen } = draft;
    setGiven({ ...draft, ...CLEARED, scenarioName, isFree, targets: chosen });
    setViolations(NONE);
    submit.forget();
  };
  return (
    <NewRunContext value={context}>
      <Form
        className="krkn-new-run"
        autoComplete="off"
        onSubmit={(event) => event.preventDefault()}
      >
        <Section number={1} title="Scenario">
          <ScenarioSection scenario={scenario.data} onChoose={choose} />
          {scenario.error && (
            <ErrorState
              title="The scenario cannot be read"
              error={scenario.error}
              onRetry={() => void scenario.refetch()}
            />
          )}
        </Section>
        <Section number={2} title="Parameters">
          {unknown.length > 0 && (
            <Alert
              variant="info"
              isInline
              component="p"
              title="Secrets and files have to be given again"
            >
              {unknown.join(", ")}
            </Alert>
          )}
          {scenario.data && <Parameters />}
          <OtherVariables />
          <OtherFiles />
          <ExpandableSection toggleText="Log-in of the image's registry">
            <RegistryFields />
          </ExpandableSection>
        </Section>
        <Section number={3} title="Clusters">
          <TargetsSection targets={targets} jobs={jobs} />
        </Section>
        <Section number={4} title="Limits">
          <LimitsSection />
        </Section>
        <Section title="The same elsewhere">
          <Elsewhere request={request} targets={targets.entries} />
        </Section>
        <CheckResult outcome={submit.outcome} targets={targets.entries} />
        <Actions request={request} submit={submit} targets={targets.entries} jobs={jobs} />
      </Form>
    </NewRunContext>
  );
}

/** What belongs to a scenario and goes with it. */
const CLEARED = {
  values: {},
  parameterFiles: {},
  scenarioImage: "",
  kubeconfigPath: "",
} satisfies Partial<Draft>;

/** The draft with the parameters of its scenario, once they are known. */
function useFields(
  given: Draft,
  scenario: NewRunScenario | undefined,
  globals: NewRun["globals"] | undefined,
) {
  return useMemo(() => {
    if (!scenario || !globals) return { draft: given, own: [], globals: [] };
    // Only the release's own patterns run here: those of an administrator may take for ever in
    // this engine, which unlike the service's is not of linear time.
    const isOurs = scenario.source === "built-in";
    const own = isOurs ? scenario.fields : scenario.fields.map((f) => ({ ...f, validator: "" }));
    return { draft: settled(given, [...own, ...globals]), own, globals };
  }, [given, scenario, globals]);
}

interface NewRunScenario {
  readonly source: string;
  readonly fields: NewRun["own"];
}
