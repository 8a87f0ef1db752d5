import { Alert, AlertActionLink } from "@patternfly/react-core";
import { ApiError, errorText } from "../api/errors";

interface Props {
  /** What could not be done, as a title. */
  readonly title: string;
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** A refusal or a failure: what the service says, the fields that it names, and the call's id. */
export function ErrorState({ title, error, onRetry }: Props) {
  const api = error instanceof ApiError ? error : undefined;
  const others = api?.fields.filter(({ description }) => !api.message.includes(description)) ?? [];
  return (
    <Alert
      variant="danger"
      isInline
      component="p"
      title={title}
      className="krkn-error"
      actionLinks={onRetry && <AlertActionLink onClick={onRetry}>Try again</AlertActionLink>}
    >
      <p>{errorText(error)}</p>
      {others.length > 0 && (
        <ul>
          {others.map(({ field, description }) => (
            <li key={`${field} ${description}`}>
              <code>{field}</code>: {description}
            </li>
          ))}
        </ul>
      )}
      {api && (api.reason || api.requestId) && (
        <small>
          {[api.reason, api.requestId && `request ${api.requestId}`].filter(Boolean).join(" · ")}
        </small>
      )}
    </Alert>
  );
}
