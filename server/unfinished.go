package server

func (rq *request) root() error       { return unsupportedMethod(string(rq.method())) }
func (s *Server) startListener(_ any) {}
func (s *Server) stopListener()       {}
