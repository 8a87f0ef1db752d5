import {
  Button,
  Content,
  Label,
  Menu,
  MenuContent,
  MenuItem,
  MenuList,
  MenuSearch,
  MenuSearchInput,
  SearchInput,
  TextInput,
} from "@patternfly/react-core";
import { useState } from "react";
import type { Scenario } from "../api/types";
import { isFound, useCatalogue } from "../scenarios/catalogue";
import { ErrorState } from "../ui/ErrorState";
import { described, Field } from "./Field";
import { useNewRun } from "./form";

interface Props {
  /** The catalogue's entry of the draft's scenario; undefined for a free one, or until it is read. */
  readonly scenario: Scenario | undefined;
  /** Another scenario: the values of the old one's parameters go. */
  readonly onChoose: (name: string, isFree: boolean) => void;
}

/** Which scenario to run: one of the catalogue, or an image of the user's. */
export function ScenarioSection({ scenario, onChoose }: Props) {
  const { draft } = useNewRun();
  if (draft.isFree) return <FreeScenario onBack={() => onChoose("", false)} />;
  if (draft.scenarioName === "") return <Picker onChoose={onChoose} />;
  return (
    <div className="krkn-chosen">
      <div>
        <strong className="krkn-wrap">{scenario?.title ?? draft.scenarioName}</strong>{" "}
        <code className="krkn-faint">{draft.scenarioName}</code>{" "}
        {scenario?.rollback && <Label isCompact>can roll back</Label>}
        {scenario?.description && <Content component="p">{scenario.description}</Content>}
      </div>
      <Button variant="secondary" size="sm" onClick={() => onChoose("", false)}>
        Change
      </Button>
    </div>
  );
}

function Picker({ onChoose }: { readonly onChoose: (name: string, isFree: boolean) => void }) {
  const { data: scenarios = [], error, refetch } = useCatalogue();
  const [search, setSearch] = useState("");
  const found = scenarios.filter((each) => isFound(each, search));
  return (
    <>
      {error && (
        <ErrorState
          title="The catalogue cannot be read"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      <Menu
        isScrollable
        isPlain
        className="krkn-picker"
        onSelect={(_, name) => onChoose(String(name), false)}
      >
        <MenuSearch>
          <MenuSearchInput>
            <SearchInput
              aria-label="Search the scenarios"
              placeholder="Search the scenarios"
              value={search}
              onChange={(_, text) => setSearch(text)}
              onClear={() => setSearch("")}
            />
          </MenuSearchInput>
        </MenuSearch>
        <MenuContent maxMenuHeight="22rem">
          <MenuList aria-label="Scenarios">
            {found.map(({ name, title }) => (
              <MenuItem key={name} itemId={name} description={<code>{name}</code>}>
                {title || name}
              </MenuItem>
            ))}
          </MenuList>
        </MenuContent>
      </Menu>
      {found.length === 0 && search && <p className="krkn-faint">No scenario is called so.</p>}
      <Button variant="link" isInline onClick={() => onChoose(search.trim(), true)}>
        Another image, which is not in the catalogue
      </Button>
    </>
  );
}

function FreeScenario({ onBack }: { readonly onBack: () => void }) {
  const { draft, violations, update } = useNewRun();
  const text = (name: "scenarioName" | "scenarioImage" | "kubeconfigPath") => ({
    id: name,
    value: draft[name],
    autoComplete: "off",
    ...described(name, violations.get(name)),
    onChange: (_: unknown, value: string) => update({ [name]: value }, name),
  });
  return (
    <>
      <div className="krkn-grid">
        <Field id="scenarioName" label="Name" isRequired error={violations.get("scenarioName")}>
          <TextInput {...text("scenarioName")} isRequired />
        </Field>
        <Field
          id="scenarioImage"
          label="Image"
          isRequired
          error={violations.get("scenarioImage")}
          hint="One that the service allows: it holds the cluster's credential while it runs."
        >
          <TextInput {...text("scenarioImage")} isRequired placeholder="registry/repository:tag" />
        </Field>
        <Field
          id="kubeconfigPath"
          label="Path of the kubeconfig in the container"
          error={violations.get("kubeconfigPath")}
        >
          <TextInput {...text("kubeconfigPath")} placeholder="/home/krkn/.kube/config" />
        </Field>
      </div>
      <Button variant="link" isInline onClick={onBack}>
        Choose from the catalogue
      </Button>
    </>
  );
}
