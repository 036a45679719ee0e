package server

func (rq *request) write() error       { return unsupportedMethod(string(rq.method())) }
func (rq *request) call() error        { return unsupportedMethod(string(rq.method())) }
func (rq *request) routineInfo() error { return unsupportedMethod(string(rq.method())) }
func (rq *request) root() error        { return unsupportedMethod(string(rq.method())) }
func (s *Server) startListener(_ any)  {}
func (s *Server) stopListener()        {}
