package pgwire

// Values of Error.Code, by their names in PostgreSQL's appendix A.
const (
	FeatureNotSupported        = "0A000"
	ProtocolViolation          = "08P01"
	CardinalityViolation       = "21000"
	InvalidParameterValue      = "22023"
	InvalidTextRepresentation  = "22P02"
	ForeignKeyViolation        = "23503"
	UniqueViolation            = "23505"
	ReadOnlySQLTransaction     = "25006"
	InFailedSQLTransaction     = "25P02"
	InvalidSQLStatementName    = "26000"
	InvalidPassword            = "28P01"
	InsufficientPrivilege      = "42501"
	SyntaxError                = "42601"
	AmbiguousColumn            = "42702"
	UndefinedColumn            = "42703"
	GroupingError              = "42803"
	WrongObjectType            = "42809"
	UndefinedFunction          = "42883"
	UndefinedTable             = "42P01"
	DuplicatePreparedStatement = "42P05"
	InvalidObjectDefinition    = "42P17"
	WindowingError             = "42P20"
	TooManyConnections         = "53300"
	ConfigurationLimitExceeded = "53400"
	QueryCanceled              = "57014" // by a cancel request or a timeout
	AdminShutdown              = "57P01"
	RaiseException             = "P0001"
)
