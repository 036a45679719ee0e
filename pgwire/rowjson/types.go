package rowjson

// builtin is one row of the table of types.
type builtin struct {
	oid   uint32
	array uint32 // OID of the type's array type, 0 if there is none
	name  string
	codec Codec
	elem  elemKind
}

// elemKind says how the elements of the type's array arrive: an array is in text or in binary as a whole.
type elemKind uint8

const (
	elemBinary elemKind = iota // array in binary, elements by the type's codec
	elemQuoted                 // array in text, elements are strings
	elemText                   // array in text, elements by the type's codec
)

// builtins holds every base, range and multirange type of pg_catalog.
var builtins = []builtin{
	{16, 1000, "bool", Codec{Format: Binary, Append: appendBool}, elemBinary},
	{21, 1005, "int2", Codec{Format: Binary, Append: appendInt2}, elemBinary},
	{23, 1007, "int4", Codec{Format: Binary, Append: appendInt4}, elemBinary},
	{20, 1016, "int8", Codec{Format: Binary, Append: appendInt8}, elemBinary},
	{700, 1021, "float4", Codec{Append: appendNumber}, elemText},
	{701, 1022, "float8", Codec{Append: appendNumber}, elemText},
	{1700, 1231, "numeric", Codec{Append: appendNumber}, elemText},

	{1082, 1182, "date", Codec{Format: Binary, Append: appendDate}, elemBinary},
	{1114, 1115, "timestamp", Codec{Format: Binary, Append: appendTimestamp}, elemBinary},
	{1184, 1185, "timestamptz", Codec{ISO: true, Append: appendTimestampTZ}, elemText},
	{1083, 1183, "time", Codec{Format: Binary, Append: appendTime}, elemBinary},
	{1266, 1270, "timetz", Codec{Format: Binary, Append: appendTimeTZ}, elemBinary},
	{1186, 1187, "interval", text, elemQuoted},

	{2950, 2951, "uuid", Codec{Format: Binary, Append: appendUUID}, elemBinary},
	{114, 199, "json", Codec{Format: Binary, Append: appendJSON}, elemBinary},
	{3802, 3807, "jsonb", Codec{Format: Binary, Append: appendJSONB}, elemBinary},

	{25, 1009, "text", text, elemQuoted},
	{1043, 1015, "varchar", text, elemQuoted},
	{1042, 1014, "bpchar", text, elemQuoted},
	{19, 1003, "name", text, elemQuoted},
	{18, 1002, "char", text, elemQuoted},
	{2275, 1263, "cstring", text, elemQuoted},
	{142, 143, "xml", text, elemQuoted},
	{17, 1001, "bytea", text, elemQuoted},
	{1560, 1561, "bit", text, elemQuoted},
	{1562, 1563, "varbit", text, elemQuoted},
	{790, 791, "money", text, elemQuoted},

	{869, 1041, "inet", text, elemQuoted},
	{650, 651, "cidr", text, elemQuoted},
	{829, 1040, "macaddr", text, elemQuoted},
	{774, 775, "macaddr8", text, elemQuoted},

	{26, 1028, "oid", text, elemQuoted},
	{27, 1010, "tid", text, elemQuoted},
	{28, 1011, "xid", text, elemQuoted},
	{29, 1012, "cid", text, elemQuoted},
	{5069, 271, "xid8", text, elemQuoted},
	{3220, 3221, "pg_lsn", text, elemQuoted},
	{5038, 5039, "pg_snapshot", text, elemQuoted},
	{2970, 2949, "txid_snapshot", text, elemQuoted},
	{1790, 2201, "refcursor", text, elemQuoted},
	{1033, 1034, "aclitem", text, elemQuoted},
	{22, 1006, "int2vector", Codec{Append: vector(false)}, elemText},
	{30, 1013, "oidvector", Codec{Append: vector(true)}, elemText},

	{24, 1008, "regproc", text, elemQuoted},
	{2202, 2207, "regprocedure", text, elemQuoted},
	{2203, 2208, "regoper", text, elemQuoted},
	{2204, 2209, "regoperator", text, elemQuoted},
	{2205, 2210, "regclass", text, elemQuoted},
	{2206, 2211, "regtype", text, elemQuoted},
	{3734, 3735, "regconfig", text, elemQuoted},
	{3769, 3770, "regdictionary", text, elemQuoted},
	{4089, 4090, "regnamespace", text, elemQuoted},
	{4096, 4097, "regrole", text, elemQuoted},
	{4191, 4192, "regcollation", text, elemQuoted},

	{3614, 3643, "tsvector", text, elemQuoted},
	{3615, 3645, "tsquery", text, elemQuoted},
	{3642, 3644, "gtsvector", text, elemQuoted},
	{4072, 4073, "jsonpath", text, elemQuoted},

	{600, 1017, "point", text, elemQuoted},
	{601, 1018, "lseg", text, elemQuoted},
	{602, 1019, "path", text, elemQuoted},
	{603, 1020, "box", text, elemQuoted},
	{604, 1027, "polygon", text, elemQuoted},
	{628, 629, "line", text, elemQuoted},
	{718, 719, "circle", text, elemQuoted},

	{3904, 3905, "int4range", text, elemQuoted},
	{3926, 3927, "int8range", text, elemQuoted},
	{3906, 3907, "numrange", text, elemQuoted},
	{3912, 3913, "daterange", text, elemQuoted},
	{3908, 3909, "tsrange", text, elemQuoted},
	{3910, 3911, "tstzrange", text, elemQuoted},
	{4451, 6150, "int4multirange", text, elemQuoted},
	{4536, 6157, "int8multirange", text, elemQuoted},
	{4532, 6151, "nummultirange", text, elemQuoted},
	{4535, 6155, "datemultirange", text, elemQuoted},
	{4533, 6152, "tsmultirange", text, elemQuoted},
	{4534, 6153, "tstzmultirange", text, elemQuoted},
}

var text = Codec{Append: appendText}

var codecs = func() map[uint32]Codec {
	m := make(map[uint32]Codec, 2*len(builtins))
	for _, t := range builtins {
		m[t.oid] = t.codec
		if t.array != 0 {
			m[t.array] = t.arrayCodec()
		}
	}
	return m
}()

func (t *builtin) arrayCodec() Codec {
	if t.elem == elemBinary {
		return Codec{Format: Binary, Append: binaryArray(t.codec.Append)}
	}
	elem := textElem{append: t.codec.Append, quoted: t.elem == elemQuoted, delim: ','}
	if t.name == "box" {
		elem.delim = ';' // the only built-in type whose typdelim is not a comma, because a comma stands inside a box
	}
	return Codec{Format: Text, ISO: t.codec.ISO, Append: textArray(elem)}
}
