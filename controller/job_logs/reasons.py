"""Why a log was not kept: the reason and message of a job's condition LogNotKept. Pure."""

from controller.reason import Reason

POD_GONE = Reason("PodGone", "The log was gone with the pod before it was read.")
NODE_LOST = Reason("NodeLost", "The node that has the log does not answer.")
NOT_READ = Reason("NotRead", "The node did not give the log within 10 seconds.")
FAILED = Reason("Internal", "The log could not be processed.")
NO_ROOM = Reason("NoRoom", "There is no room for the log among all that are kept.")
NAME_TAKEN = Reason("NameTaken", "A kept log of this name exists and is not the job's.")
QUOTA = Reason("QuotaExceeded", "The quota of the namespace leaves no room for the log.")
FORBIDDEN = Reason("Forbidden", "A rule of the cluster does not allow the log.")
NO_SUCH_KIND = Reason("NoSuchKind", "The cluster does not know KrknChaosJobLogs.")
INVALID = Reason("Invalid", "The cluster does not accept the log.")
NOT_WRITTEN = Reason("NotWritten", "The API server did not store the log.")
