package rowjson

// builtin is one row of the table of types.
type builtin struct {
	oid   uint32
	array uint32 // OID of its array type, 0 without one
	name  string
	codec Codec
	elems elems
}

// elems says how arrays of the type are requested, which may differ from the type itself.
type elems struct {
	format int16
	append AppendFunc
	quoted bool // the format is text, and an element's JSON is its quoted text
}

// builtins has every base, range and multirange type of pg_catalog, PostgreSQL 14 to 18. The oracle
// test compares it with the pg_type of a server. Left out, and so printed by PostgreSQL, are
// composites, record and their arrays, pseudo-types, and all types whose OID differs between
// databases.
//
// Most types are requested as text, because to_json prints the same text in quotes under all
// settings. A type is requested in binary if that is cheaper and its text depends on no setting.
//
// The figures are CPU time of the server in ns per value, above that of a NULL: text / binary /
// to_json of the column (PostgreSQL 15; arrays of ten).
var builtins = []builtin{
	// Numbers. The text of floats is copied for two reasons. Go's formatters do not print
	// PostgreSQL's digits (Go may print the midpoint between two floats, PostgreSQL does not). And
	// extra_float_digits matters. The text of numeric is cheaper on both sides than its digits in
	// base 10000.
	{16, 1000, "bool", asText(appendBool), inText(appendBool)}, // 18 / 18 / 95; array 284 / 381 / 432
	{21, 1005, "int2", asBinary(appendInt2), inBinary(appendInt2)},
	{23, 1007, "int4", asBinary(appendInt4), inBinary(appendInt4)}, // 33 / 26 / 159; array 461 / 406 / 728
	{20, 1016, "int8", asBinary(appendInt8), inBinary(appendInt8)}, // 40 / 30 / 168; array 655 / 445 / 844
	{700, 1021, "float4", asText(appendNumber), inText(appendNumber)},
	{701, 1022, "float8", asText(appendNumber), inText(appendNumber)},   // 57 / 28 / 175; array 1050 / 612 / 1268
	{1700, 1231, "numeric", asText(appendNumber), inText(appendNumber)}, // 51 / 61 / 169; array 631 / 800 / 970

	// Dates and times: binary if the text depends on no setting. The text of a timestamptz has the
	// offset, which only the server knows. A caller that knows that the zone is UTC saves 70 ns
	// with Session.UTC. Interval depends on IntervalStyle.
	{1082, 1182, "date", asBinary(appendDate), inBinary(appendDate)},                 // 50 / 25 / 169; array 818 / 487 / 941
	{1114, 1115, "timestamp", asBinary(appendTimestamp), inBinary(appendTimestamp)},  // 73 / 27 / 172; array 1281 / 452 / 1138
	{1184, 1185, "timestamptz", asISO(appendTimestampTZ), inText(appendTimestampTZ)}, // 96 / 28 / 198; array 1628 / 446 / 1472
	{1083, 1183, "time", asBinary(appendTime), inBinary(appendTime)},                 // 69 / 23 / 218
	{1266, 1270, "timetz", asBinary(appendTimeTZ), inBinary(appendTimeTZ)},           // 72 / 39 / 224
	{1186, 1187, "interval", asText(appendText), inQuotes},                           // 107 / 43 / 289

	// Identity and documents. json and jsonb have the same text in both formats. Inside the text of
	// an array they would be full of escapes.
	{2950, 2951, "uuid", asBinary(appendUUID), inBinary(appendUUID)}, // 113 / 34 / 308; array 1839 / 566 / 2004
	{114, 199, "json", asText(appendJSON), inBinary(appendJSON)},     // 25 / 35 / 146
	{3802, 3807, "jsonb", asText(appendJSON), inBinary(appendJSONB)}, // 292 / 315 / 409; array of three 1171 / 1111 / 1235

	// Strings. Their binary form has the same bytes and costs the server a little more. bytea
	// depends on bytea_output; see Session.HexBytea.
	{25, 1009, "text", asText(appendText), inQuotes},      // 29 / 37 / 184; array 430 / 496 / 719
	{1043, 1015, "varchar", asText(appendText), inQuotes}, // 46 / 58 / 368
	{1042, 1014, "bpchar", asText(appendText), inQuotes},
	{19, 1003, "name", asText(appendText), inQuotes},
	{18, 1002, "char", asText(appendText), inQuotes},
	{2275, 1263, "cstring", asText(appendText), inQuotes},
	{142, 143, "xml", asText(appendText), inQuotes},
	{17, 1001, "bytea", asText(appendText), inQuotes}, // 2,048 bytes 2838 / 785 / 8954
	{1560, 1561, "bit", asText(appendText), inQuotes},
	{1562, 1563, "varbit", asText(appendText), inQuotes},
	{790, 791, "money", asText(appendText), inQuotes},
	{1790, 2201, "refcursor", asText(appendText), inQuotes},

	// Network addresses: text, because PostgreSQL abbreviates IPv6 addresses in its own way.
	{869, 1041, "inet", asText(appendText), inQuotes}, // 116 / 48 / 273
	{650, 651, "cidr", asText(appendText), inQuotes},
	{829, 1040, "macaddr", asText(appendText), inQuotes},
	{774, 775, "macaddr8", asText(appendText), inQuotes},

	// System types. to_json prints only the seven numeric types as numbers, so an oid is a string.
	// to_json and the binary format treat the two vectors as arrays. As text, PostgreSQL refuses to
	// print vectors with a NULL or two dimensions.
	{26, 1028, "oid", asBinary(appendOID), inBinary(appendOID)}, // 47 / 29 / 197; array 546 / 417 / 886
	{28, 1011, "xid", asBinary(appendOID), inBinary(appendOID)},
	{29, 1012, "cid", asBinary(appendOID), inBinary(appendOID)},
	{5069, 271, "xid8", asText(appendText), inQuotes},
	{27, 1010, "tid", asText(appendText), inQuotes},
	{3220, 3221, "pg_lsn", asText(appendText), inQuotes},
	{5038, 5039, "pg_snapshot", asText(appendText), inQuotes},
	{2970, 2949, "txid_snapshot", asText(appendText), inQuotes},
	{1033, 1034, "aclitem", asText(appendText), inQuotes},
	{22, 1006, "int2vector", asBinary(binaryArray(appendInt2)), inBinary(binaryArray(appendInt2))},
	{30, 1013, "oidvector", asBinary(binaryArray(appendOID)), inBinary(binaryArray(appendOID))},
	{194, 0, "pg_node_tree", asText(appendText), elems{}},
	{3361, 0, "pg_ndistinct", asText(appendText), elems{}},
	{3402, 0, "pg_dependencies", asText(appendText), elems{}},
	{5017, 0, "pg_mcv_list", asText(appendText), elems{}},
	{4600, 0, "pg_brin_bloom_summary", asText(appendText), elems{}},
	{4601, 0, "pg_brin_minmax_multi_summary", asText(appendText), elems{}},

	// Names of objects: only the server can resolve them.
	{24, 1008, "regproc", asText(appendText), inQuotes},
	{2202, 2207, "regprocedure", asText(appendText), inQuotes},
	{2203, 2208, "regoper", asText(appendText), inQuotes},
	{2204, 2209, "regoperator", asText(appendText), inQuotes},
	{2205, 2210, "regclass", asText(appendText), inQuotes},
	{2206, 2211, "regtype", asText(appendText), inQuotes},
	{4191, 4192, "regcollation", asText(appendText), inQuotes},
	{4096, 4097, "regrole", asText(appendText), inQuotes},
	{4089, 4090, "regnamespace", asText(appendText), inQuotes},
	{3734, 3735, "regconfig", asText(appendText), inQuotes},
	{3769, 3770, "regdictionary", asText(appendText), inQuotes},

	// Text search, jsonpath.
	{3614, 3643, "tsvector", asText(appendText), inQuotes},
	{3615, 3645, "tsquery", asText(appendText), inQuotes},
	{3642, 3644, "gtsvector", asText(appendText), inQuotes},
	{4072, 4073, "jsonpath", asText(appendText), inQuotes},

	// Geometry: consists of floats.
	{600, 1017, "point", asText(appendText), inQuotes},
	{601, 1018, "lseg", asText(appendText), inQuotes},
	{602, 1019, "path", asText(appendText), inQuotes},
	{603, 1020, "box", asText(appendText), inQuotes},
	{604, 1027, "polygon", asText(appendText), inQuotes},
	{628, 629, "line", asText(appendText), inQuotes},
	{718, 719, "circle", asText(appendText), inQuotes},

	// Ranges print their bounds with the output function of the element type, so DateStyle,
	// TimeZone and extra_float_digits matter.
	{3904, 3905, "int4range", asText(appendText), inQuotes},
	{3926, 3927, "int8range", asText(appendText), inQuotes},
	{3906, 3907, "numrange", asText(appendText), inQuotes},
	{3912, 3913, "daterange", asText(appendText), inQuotes},
	{3908, 3909, "tsrange", asText(appendText), inQuotes},
	{3910, 3911, "tstzrange", asText(appendText), inQuotes},
	{4451, 6150, "int4multirange", asText(appendText), inQuotes},
	{4536, 6157, "int8multirange", asText(appendText), inQuotes},
	{4532, 6151, "nummultirange", asText(appendText), inQuotes},
	{4535, 6155, "datemultirange", asText(appendText), inQuotes},
	{4533, 6152, "tsmultirange", asText(appendText), inQuotes},
	{4534, 6153, "tstzmultirange", asText(appendText), inQuotes},
}

var inQuotes = elems{append: appendText, quoted: true}

func asText(f AppendFunc) Codec   { return Codec{Format: Text, Append: f} }
func asBinary(f AppendFunc) Codec { return Codec{Format: Binary, Append: f} }
func asISO(f AppendFunc) Codec    { return Codec{Format: Text, ISO: true, Append: f} }

func inText(f AppendFunc) elems   { return elems{format: Text, append: f} }
func inBinary(f AppendFunc) elems { return elems{format: Binary, append: f} }

// The rows that replace those of builtins when the caller knows the setting.
var (
	utcBuiltins = []builtin{{1184, 1185, "timestamptz", asBinary(appendTimestampUTC), inBinary(appendTimestampUTC)}}
	hexBuiltins = []builtin{{17, 1001, "bytea", asBinary(appendHex), inBinary(appendHex)}}
)

var (
	codecs    = index(builtins)
	utcCodecs = index(utcBuiltins)
	hexCodecs = index(hexBuiltins)
)

func index(table []builtin) map[uint32]Codec {
	m := make(map[uint32]Codec, 2*len(table))
	for i := range table {
		t := &table[i]
		m[t.oid] = t.codec
		if t.array != 0 {
			m[t.array] = t.arrayCodec()
		}
	}
	return m
}

func (t *builtin) arrayCodec() Codec {
	if t.elems.format == Binary {
		return asBinary(binaryArray(t.elems.append))
	}
	delim := byte(',')
	if t.name == "box" {
		delim = ';' // the only built-in type with another typdelim: the text of a box has commas
	}
	array := textArray(textElem{append: t.elems.append, quoted: t.elems.quoted, delim: delim})
	return Codec{Format: Text, ISO: t.codec.ISO, Append: array}
}
