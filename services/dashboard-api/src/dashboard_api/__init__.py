"""The public read model: GraphQL, WebSocket, REST and the web page."""
