package purity

// bracketed are words that have a parenthesis behind them in SQL or PL/pgSQL
// without being called. A function of such a name that the database has counts
// as called nevertheless.
var bracketed = wordSet(`
	all and any array as between by case cast char character check coalesce collation conflict cross cube current_time
	current_timestamp dec decimal default delete distinct do else elsif elseif end escape except exists extract filter float for
	from greatest group grouping having if ilike in insert intersect interval into is join json json_array json_arrayagg
	json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value key lateral least like
	limit localtime localtimestamp loop materialized merge_action national nchar next normalize not nullif numeric of offset on
	only operator or order over overlay partition perform position precision query range return returning rollup row rows
	select set sets similar some substring symmetric asymmetric then time timestamp to treat trim union unique until using
	values variadic varying when where while with within xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi
	xmlroot xmlserialize xmltable zone`)

// introducing are words behind which a name is an alias.
var introducing = wordSet("as recursive")
