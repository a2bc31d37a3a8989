/** @module meditron/server */

export { type AppOptions, createServer, type Server, type ServerApp, type ServerOptions, serverApp } from './server.js';
