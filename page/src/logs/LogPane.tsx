import { Button, Spinner, Title, Tooltip } from "@patternfly/react-core";
import { AngleDownIcon, AngleUpIcon, DownloadIcon, TimesIcon } from "@patternfly/react-icons";
import { useMemo, useState, type ReactNode } from "react";
import { errorText } from "../api/errors";
import { download } from "../ui/download";
import { wholeLog, type Source } from "./follow";
import { LogLines, type View } from "./LogLines";
import { useLog } from "./useLog";

interface Props {
  readonly source: Source;
  readonly title: string;
  /** Beside the title: the job's status. */
  readonly note?: ReactNode;
  readonly view: View;
  readonly onClose?: (() => void) | undefined;
}

/** One log, with its title and what may be done with it. */
export function LogPane({ source, title, note, view, onClose }: Props) {
  const log = useLog(source);
  const [isFollowing, setFollowing] = useState(true);
  const found = useFound(log.lines, log.dropped, view.find);
  const [at, setAt] = useState(0);
  const [isLoading, setLoading] = useState(false);
  const [failure, setFailure] = useState("");
  const go = (step: number) => {
    setFollowing(false);
    setAt((at + step + found.length) % found.length);
  };
  const save = async () => {
    setLoading(true);
    setFailure("");
    try {
      download(await wholeLog(source), `${title.replace(/[^\w.-]+/g, "-")}.log`);
    } catch (error) {
      setFailure(`The log could not be downloaded: ${errorText(error)}`);
    }
    setLoading(false);
  };
  return (
    <section className="krkn-pane" aria-label={`Log of ${title}`}>
      <header>
        <Title headingLevel="h2" size="md" className="krkn-clip">
          {title}
        </Title>
        {note}
        <span className="krkn-spring" />
        {view.find && (
          <>
            <span className="krkn-faint krkn-number" role="status">
              {found.length === 0 ? "0 found" : `${(at % found.length) + 1} of ${found.length}`}
            </span>
            <PaneButton
              label="Previous"
              icon={<AngleUpIcon />}
              onClick={() => go(-1)}
              isOff={found.length === 0}
            />
            <PaneButton
              label="Next"
              icon={<AngleDownIcon />}
              onClick={() => go(1)}
              isOff={found.length === 0}
            />
          </>
        )}
        {isLoading ? (
          <Spinner size="md" aria-label="Downloading" />
        ) : (
          <PaneButton
            label="Download the whole log"
            icon={<DownloadIcon />}
            onClick={() => void save()}
          />
        )}
        {onClose && (
          <PaneButton label={`Close the log of ${title}`} icon={<TimesIcon />} onClick={onClose} />
        )}
      </header>
      <LogLines
        label={title}
        log={log}
        view={view}
        isFollowing={isFollowing}
        onFollow={setFollowing}
        current={view.find && found.length > 0 ? found[at % found.length] : undefined}
      />
      <footer className="krkn-faint">
        <span role="status">{failure || stateText(log.state, log.error, log.lines.length)}</span>
        {log.kept && <span>{keptText(log.kept)}</span>}
        {log.dropped > 0 && (
          <span>{log.dropped} earlier lines are not shown; the download has all</span>
        )}
        {log.state === "following" && !isFollowing && (
          <Button variant="link" isInline onClick={() => setFollowing(true)}>
            To the end
          </Button>
        )}
      </footer>
    </section>
  );
}

interface PaneButtonProps {
  readonly label: string;
  readonly icon: ReactNode;
  readonly onClick: () => void;
  readonly isOff?: boolean;
}

function PaneButton({ label, icon, onClick, isOff = false }: PaneButtonProps) {
  return (
    <Tooltip content={label}>
      <Button
        variant="plain"
        size="sm"
        aria-label={label}
        icon={icon}
        isDisabled={isOff}
        onClick={onClick}
      />
    </Tooltip>
  );
}

function stateText(state: string, error: unknown, count: number): string {
  if (error) return errorText(error);
  if (state === "loading") return "Waiting for the log";
  if (count === 0) return state === "ended" ? "The log is empty" : "Nothing is written yet";
  const lines = `${count} ${count === 1 ? "line" : "lines"}`;
  return state === "ended" ? `${lines}, ended` : `${lines}, live`;
}

function keptText(kept: string): string {
  const what = kept.includes("truncated") ? "the end of the log, which" : "the log that";
  return `The pod is gone; this is ${what} was kept`;
}

/** The indexes of the lines that have what is looked for. */
function useFound(lines: readonly { readonly text: string }[], dropped: number, find: string) {
  return useMemo(() => {
    if (!find) return [];
    return lines.flatMap(({ text }, index) => (text.toLowerCase().includes(find) ? [index] : []));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the lines change with what is dropped
  }, [lines, dropped, find]);
}
