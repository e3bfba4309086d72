"""Where news and figures about chains come from: feeds by URL or file, a folder. All of it is untrusted."""

from exchanges.news.feeds import Article, BadFeed, articles
from exchanges.news.sources import FolderSource, NewsSource, UrlSource, open_source

__all__ = ["Article", "BadFeed", "FolderSource", "NewsSource", "UrlSource", "articles", "open_source"]
