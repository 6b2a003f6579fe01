"""src/intel_ml/reporting"""
