package server

func (rq *request) root() error { return unsupportedMethod(string(rq.method())) }
