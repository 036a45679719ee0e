package planner

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The requests and the SQL of TestDifferential.

// shape is the request without operands.
func (q *groupQuery) shape() string {
	s := q.table + "?" + q.list() + "|" + shapeOf(q.where) + "|" + shapeOf(q.having) + "|" + orders(q.order) + "|" + q.distincts()
	for _, a := range q.everyAgg() {
		s += "|" + shapeOf(a.filter)
	}
	if q.spread != nil {
		s += "|" + shapeOf(q.spread.having) + "|" + orders(q.spread.order)
	}
	if q.embed != nil {
		s += "(" + q.embed.shape() + ")"
	}
	return s + "|" + strconv.FormatBool(q.limit >= 0) + strconv.FormatBool(q.offset > 0)
}

// shapeOf is the shape of conditions in the order of the URL, which sorts them by key.
func shapeOf(conds []groupCond) string {
	conds = slices.Clone(conds)
	slices.SortStableFunc(conds, func(a, b groupCond) int { return strings.Compare(a.key(), b.key()) })
	return shapeInOrder(conds)
}

func shapeInOrder(conds []groupCond) string {
	var b strings.Builder
	for i := range conds {
		c := &conds[i]
		b.WriteString("," + strconv.FormatBool(c.not) + c.name + "." + c.op + "(" + shapeInOrder(c.or) + ")")
	}
	return b.String()
}

func (q *groupQuery) everyAgg() []groupAgg {
	if q.spread == nil {
		return q.aggs
	}
	return append(q.aggs[:len(q.aggs):len(q.aggs)], q.spread.aggs...)
}

func (q *groupQuery) url() string {
	v := url.Values{"select": {q.list()}}
	q.parameters(v)
	return v.Encode()
}

func (q *groupQuery) list() string {
	items := append([]string(nil), q.columns...)
	for i := range q.aggs {
		items = append(items, q.aggs[i].item())
	}
	if q.spread != nil {
		var lifted []string
		for _, c := range q.spread.columns {
			lifted = append(lifted, "d_"+c+":"+c)
		}
		for i := range q.spread.aggs {
			lifted = append(lifted, q.spread.aggs[i].item())
		}
		items = append(items, "...dept("+strings.Join(lifted, ",")+")")
	}
	if q.embed != nil {
		item := q.embed.table
		if q.embed.inner {
			item += "!inner"
		}
		items = append(items, item+"("+q.embed.list()+")")
	}
	return strings.Join(items, ",")
}

func (a *groupAgg) call() string {
	if a.column == "" {
		return "count()"
	}
	return a.column + "." + a.fn + "()"
}

func (a *groupAgg) item() string { return a.alias + ":" + a.call() }

func (q *groupQuery) parameters(v url.Values) {
	addConds(v, q.path, q.where)
	addConds(v, q.path, q.having)
	for i := range q.aggs {
		addConds(v, q.path+q.aggs[i].alias+".", q.aggs[i].filter)
	}
	if q.spread != nil {
		addConds(v, q.path+"dept.", q.spread.having)
		if len(q.spread.order) > 0 {
			v.Set(q.path+"dept.order", orders(q.spread.order))
		}
		for i := range q.spread.aggs {
			path := q.path
			if i%2 == 0 { // both spellings
				path += "dept."
			}
			addConds(v, path+q.spread.aggs[i].alias+".", q.spread.aggs[i].filter)
		}
	}
	if q.distincts() != "" {
		v.Set(q.path+"distinct", q.distincts())
	}
	if len(q.order) > 0 {
		v.Set(q.path+"order", orders(q.order))
	}
	if q.limit >= 0 {
		v.Set(q.path+"limit", strconv.Itoa(q.limit))
		if q.offset > 0 {
			v.Set(q.path+"offset", strconv.Itoa(q.offset))
		}
	}
	if q.embed != nil {
		q.embed.parameters(v)
	}
}

func (q *groupQuery) distincts() string {
	if q.distinct {
		return "true"
	}
	return strings.Join(q.distinctOn, ",")
}

func orders(list []groupOrder) string {
	var terms []string
	for i := range list {
		o := &list[i]
		term := o.name
		if o.agg != nil {
			term = o.agg.call()
		}
		if o.desc {
			term += ".desc"
		}
		if o.nullsLast {
			term += ".nullslast"
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, ",")
}

func addConds(v url.Values, path string, conds []groupCond) {
	for i := range conds {
		c := &conds[i]
		if c.or == nil {
			v.Add(path+c.key(), c.spell())
			continue
		}
		v.Add(path+c.key(), "("+c.or[0].name+"."+c.or[0].spell()+","+c.or[1].name+"."+c.or[1].spell()+")")
	}
}

// key is that of the parameter.
func (c *groupCond) key() string {
	switch {
	case c.or == nil:
		return c.name
	case c.not:
		return "not.or"
	}
	return "or"
}

func (c *groupCond) spell() string {
	if c.not {
		return "not." + c.op + "." + c.value
	}
	return c.op + "." + c.value
}

// sql is the condition over the columns of a table.
func (c *groupCond) sql(table string) string {
	text := ""
	column := table + "." + c.name
	switch {
	case c.or != nil:
		text = c.or[0].sql(table) + " or " + c.or[1].sql(table)
	case c.op == "is":
		text = column + " is null"
	case c.op == "in":
		text = column + " in ('" + strings.ReplaceAll(strings.Trim(c.value, "()"), ",", "','") + "')"
	default:
		text = column + map[string]string{"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[c.op] + "'" + c.value + "'"
	}
	if c.not {
		return "(not (" + text + "))"
	}
	return "(" + text + ")"
}

func allOf(table string, conds []groupCond, more ...string) string {
	parts := append([]string{"true"}, more...)
	for i := range conds {
		parts = append(parts, conds[i].sql(table))
	}
	return strings.Join(parts, " and ")
}

// sql is the aggregate with its FILTER as a CASE.
func (a *groupAgg) sql(table string) string {
	value := table + ".id" // never NULL, but for the rows of an outer join
	if a.column != "" {
		value = table + "." + a.column
	}
	if len(a.filter) > 0 {
		value = "case when " + allOf(table, a.filter) + " then " + value + " end"
	}
	if a.fn == "countdistinct" {
		return "count(distinct " + value + ")"
	}
	return a.fn + "(" + value + ")"
}

// rows is the SELECT without order and limit. The columns k0, k1 and so on are what
// the rows are ordered by.
func (q *groupQuery) rows() string {
	where := allOf(q.alias, q.where)
	if q.on != "" {
		where += " and " + q.on
	}
	from := " from api." + q.table + " " + q.alias
	var items, groups []string
	for _, c := range q.columns {
		items = append(items, q.alias+"."+c)
		groups = append(groups, q.alias+"."+c)
	}
	for i := range q.aggs {
		items = append(items, q.aggs[i].sql(q.alias)+" as "+q.aggs[i].alias)
	}
	if q.spread != nil {
		from += " left join api.dept d on d.id = " + q.alias + ".dept_id"
		for _, c := range q.spread.columns {
			items = append(items, "d."+c+" as d_"+c)
			groups = append(groups, "d."+c)
		}
		for i := range q.spread.aggs {
			items = append(items, q.spread.aggs[i].sql("d")+" as "+q.spread.aggs[i].alias)
		}
	}
	if e := q.embed; e != nil {
		items = append(items, "(select json_agg("+e.row("r")+e.orderBy("r")+") from ("+e.paged()+") r) as embedded")
	}
	grouped := len(q.everyAgg()) > 0
	for i := range q.order {
		o := &q.order[i]
		switch {
		case o.agg != nil:
			items = append(items, o.agg.sql(q.alias)+" as k"+strconv.Itoa(i))
		case !strings.HasPrefix(o.name, "n") || o.name == "name":
			items = append(items, q.alias+"."+o.name+" as k"+strconv.Itoa(i))
		}
	}
	if len(q.distinctOn) > 0 {
		items = append(items, "row_number() over (partition by "+q.alias+"."+strings.Join(q.distinctOn, ", "+q.alias+".")+q.directions(func(o *groupOrder, _ int) string { return q.alias + "." + o.name })+") as nth")
		return "select * from (select " + strings.Join(items, ", ") + from + " where " + where + ") ranked where nth = 1"
	}
	sql := "select " + strings.Join(items, ", ") + from + " where " + where
	if q.distinct {
		groups, grouped = append([]string(nil), groups...), true
	}
	if grouped && len(groups) > 0 {
		sql += " group by " + strings.Join(groups, ", ")
	}
	having := q.having
	if q.spread != nil {
		having = append(having[:len(having):len(having)], q.spread.lifted()...)
	}
	if len(having) > 0 {
		sql = "select * from (" + sql + ") grouped where " + allOf("grouped", having)
	}
	if q.embed != nil && q.embed.inner {
		sql = "select * from (" + sql + ") outer_rows where embedded is not null"
	}
	return sql
}

// lifted is the HAVING of a spread as the rows around it see it.
func (s *groupSpread) lifted() (out []groupCond) {
	for _, c := range s.having {
		c.or = append([]groupCond(nil), c.or...)
		c.or[1].name = "d_" + c.or[1].name
		out = append(out, c)
	}
	return out
}

func (q *groupQuery) directions(key func(o *groupOrder, i int) string) string {
	var terms []string
	for i := range q.order {
		o := &q.order[i]
		term := key(o, i)
		if o.desc {
			term += " desc"
		}
		if o.nullsLast {
			term += " nulls last"
		}
		terms = append(terms, term)
	}
	if len(terms) == 0 {
		return ""
	}
	return " order by " + strings.Join(terms, ", ")
}

// orderBy orders the result of rows, which is called name.
func (q *groupQuery) orderBy(name string) string {
	return q.directions(func(o *groupOrder, i int) string {
		if o.agg == nil && strings.HasPrefix(o.name, "n") && o.name != "name" {
			return name + "." + o.name
		}
		return name + ".k" + strconv.Itoa(i)
	})
}

func (q *groupQuery) paged() string {
	sql := "select * from (" + q.rows() + ") all_rows" + q.orderBy("all_rows")
	if q.limit >= 0 {
		sql += " limit " + strconv.Itoa(q.limit) + " offset " + strconv.Itoa(q.offset)
	}
	return sql
}

// row is the object of a row of the response.
func (q *groupQuery) row(name string) string {
	var members []string
	for _, c := range q.columns {
		members = append(members, "'"+c+"', "+name+"."+c)
	}
	if q.spread != nil {
		for _, c := range q.spread.columns {
			members = append(members, "'d_"+c+"', "+name+".d_"+c)
		}
	}
	for _, a := range q.everyAgg() {
		members = append(members, "'"+a.alias+"', "+name+"."+a.alias)
	}
	if q.embed != nil {
		members = append(members, "'"+q.embed.table+"', coalesce("+name+".embedded, '[]')")
	}
	return "json_build_object(" + strings.Join(members, ", ") + ")"
}

func (q *groupQuery) page() string {
	return "select " + q.row("p") + " as body from (" + q.paged() + ") p" + q.orderBy("p")
}

// count is the total. PostgREST's is the number of rows of a page that is complete.
// Else it counts the rows of plain groups, and ignores the limits of embeds.
func (q *groupQuery) count() string {
	if q.embed != nil && q.limit >= 0 {
		whole, embed := *q, *q.embed
		embed.limit = -1
		whole.embed = &embed
		q = &whole
	}
	if q.plainGroups && q.limit >= 0 {
		return "select count(*) from api." + q.table + " " + q.alias + " where " + allOf(q.alias, q.where)
	}
	return "select count(*) from (" + q.rows() + ") r"
}

func (q *groupQuery) limited() bool { return q.limit >= 0 || q.embed != nil && q.embed.limit >= 0 }
