from chassis.service import serve

from market_data.app import create_app

if __name__ == "__main__":
    serve(create_app)
