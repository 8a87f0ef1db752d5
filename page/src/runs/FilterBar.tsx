import {
  Button,
  FormSelect,
  FormSelectOption,
  Popover,
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from "@patternfly/react-core";
import { OutlinedQuestionCircleIcon } from "@patternfly/react-icons";
import { useEffect, useRef, useState } from "react";
import { format, NO_FILTERS, parse, STATUSES, type Filters } from "./filters";

interface Props {
  readonly filters: Filters;
  readonly onChange: (filters: Filters) => void;
}

const TYPING_MILLISECONDS = 300;
const TIMES = { "1h": "Last hour", "24h": "Last day", "7d": "Last week", "30d": "Last month" };

/** The filters as one line of text, and the two that are used most as lists beside it. */
export function FilterBar({ filters, onChange }: Props) {
  return (
    <Toolbar className="krkn-filters" clearAllFilters={() => onChange(NO_FILTERS)}>
      <ToolbarContent>
        <ToolbarItem className="krkn-grow">
          <Query filters={filters} onChange={onChange} />
        </ToolbarItem>
        <ToolbarItem>
          <FormSelect
            aria-label="Status"
            value={filters.status}
            onChange={(_, status) => onChange({ ...filters, status })}
          >
            <FormSelectOption value="" label="Any status" />
            {STATUSES.map((status) => (
              <FormSelectOption key={status} value={status} label={status} />
            ))}
          </FormSelect>
        </ToolbarItem>
        <ToolbarItem>
          <FormSelect
            aria-label="Time"
            value={filters.since}
            onChange={(_, since) => onChange({ ...filters, since })}
          >
            <FormSelectOption value="" label="Any time" />
            {Object.entries(TIMES).map(([since, title]) => (
              <FormSelectOption key={since} value={since} label={title} />
            ))}
            {filters.since && !(filters.since in TIMES) && (
              <FormSelectOption value={filters.since} label={`Last ${filters.since}`} />
            )}
          </FormSelect>
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

/** The text is its own while it is typed in: `status:Fa` is not rewritten under the cursor. */
function Query({ filters, onChange }: Props) {
  const [text, setText] = useState(() => format(filters));
  const sent = useRef(filters);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (format(filters) !== format(sent.current)) setText(format(filters));
    sent.current = filters;
  }, [filters]);
  const send = (next: string) => {
    clearTimeout(timer.current);
    sent.current = parse(next);
    onChange(sent.current);
  };
  return (
    <div className="krkn-query">
      <SearchInput
        aria-label="Filter the runs"
        placeholder="Filter: words, scenario:pod-* cluster:eu-1 label:wave=1 by:ci"
        value={text}
        onChange={(_, next) => {
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => send(next), TYPING_MILLISECONDS);
        }}
        onClear={() => {
          setText("");
          send("");
        }}
      />
      <Help />
    </div>
  );
}

function Help() {
  return (
    <Popover
      headerContent="Filters"
      bodyContent={
        <dl className="krkn-help">
          <dt>words</dt>
          <dd>of the id, scenario, image, user or labels</dd>
          <dt>scenario:pod-*</dt>
          <dd>scenario; * stands for anything</dd>
          <dt>cluster:eu-1</dt>
          <dd>runs with a job on this cluster</dd>
          <dt>label:wave=1</dt>
          <dd>a selector as kubectl takes it; in quotes if it has spaces</dd>
          <dt>status:Failed</dt>
          <dd>status of the run</dd>
          <dt>by:ci</dt>
          <dd>user that requested the run</dd>
          <dt>since:36h</dt>
          <dd>minutes, hours or days: 30m, 36h, 7d</dd>
        </dl>
      }
    >
      <Button variant="plain" aria-label="How to filter" icon={<OutlinedQuestionCircleIcon />} />
    </Popover>
  );
}
