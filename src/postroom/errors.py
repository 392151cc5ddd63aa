"""The few exceptions that cross a boundary. Everything that can happen to a message is a value, not one of these."""


class PostroomError(Exception):
    """Something a person has to mend. The text is shown as it is, without a traceback."""


class ConfigError(PostroomError):
    """A setting is unknown, has a wrong value, or does not fit another one."""


class NotFoundError(PostroomError):
    """An object named by a command or a request does not exist (or belongs to somebody else)."""


class ConflictError(PostroomError):
    """The object exists already, or its state does not allow what was asked."""


class StorageUnavailableError(PostroomError):
    """The database or the disk cannot keep anything right now. Trying again later is safe."""


class CommitUnknownError(StorageUnavailableError):
    """The connection died during COMMIT: the transaction may or may not exist. Look its members up by id."""
